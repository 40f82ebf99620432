import { ERROR_TABLE, type ErrorCode } from '../../base/errors/table.ts';

/** One thing that was looked at. */
export interface Finding {
  /** One word, such as `ports`. */
  readonly about: string;
  /** `warn`: it works, worse than it could; `fail`: nimify cannot do what it is configured to. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** What to do; every `warn` and `fail` has it. */
  readonly mend?: string;
  /** Kind of the failure: its exit code is the command's. */
  readonly code?: ErrorCode;
}

export function ok(about: string, says: string): Finding {
  return { about, status: 'ok', says };
}

export function warn(about: string, says: string, mend: string): Finding {
  return { about, status: 'warn', says, mend };
}

export function fail(about: string, code: ErrorCode, says: string, mend: string): Finding {
  return { about, status: 'fail', says, mend, code };
}

/** 0 where nothing fails, else the code of the first failure. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const failed = findings.find(({ status }) => status === 'fail');
  return failed === undefined ? 0 : ERROR_TABLE[failed.code ?? 'INTERNAL'].exit;
}
