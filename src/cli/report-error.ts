import { NimifyError, toNimifyError } from '../base/errors/nimify-error.ts';
import { printableLines } from './printable.ts';

/**
 * Tells of a failure on stderr and returns the exit code of its kind (see docs/errors.md). For machines
 * (`--json`) it is one JSON object a line, the same as in the body of an HTTP answer. NIMIFY_DEBUG=1 adds
 * stack traces and the native errors beneath.
 */
export function reportError(thrown: unknown, options: { readonly json: boolean }): number {
  const error = toNimifyError(thrown);
  const isDebugging = process.env.NIMIFY_DEBUG === '1';
  if (options.json) {
    const body = { error: error.message, code: error.code, details: error.details };
    process.stderr.write(`${JSON.stringify(body)}\n`);
  } else {
    process.stderr.write(`error: ${printableLines(messageFor(error))}\n`);
  }
  if (isDebugging) process.stderr.write(`${describeCauses(thrown)}\n`);
  return error.exitCode;
}

function messageFor(error: NimifyError): string {
  if (error.code !== 'INTERNAL') return error.message;
  return 'nimify met a fault of its own; run again with NIMIFY_DEBUG=1 and report what it prints';
}

function describeCauses(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const details = thrown instanceof NimifyError ? ` ${JSON.stringify(thrown.details ?? {})}` : '';
  const own = `${thrown.stack ?? thrown.message}${details}`;
  return thrown.cause === undefined ? own : `${own}\ncaused by ${describeCauses(thrown.cause)}`;
}
