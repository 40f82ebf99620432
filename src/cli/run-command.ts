import { reportError } from './report-error.ts';

/** Runs a command's work, which gives the exit code; a failure is told of and gives its own. */
export async function runCommand(
  flags: { readonly json?: boolean },
  work: () => Promise<number>,
): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (thrown) {
    process.exitCode = reportError(thrown, { json: flags.json === true });
  }
}
