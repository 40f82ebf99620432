import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pythonPath } from '../require.ts';

/** Runs a script of this folder to its end; rejects with what it wrote where it fails. */
export async function runPython(script: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(pythonPath(), [script, ...args]);
  return stdout.trim();
}
