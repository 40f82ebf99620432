import type fc from 'fast-check';
import { NimifyError } from '../../src/base/errors/nimify-error.ts';
import type { ErrorCode } from '../../src/base/errors/table.ts';

/** Something that reads foreign bytes. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs that are likely to reach deep into it. */
  readonly inputs: fc.Arbitrary<Uint8Array>;
  /** Reads the input; throws where anything but a result or an expected refusal comes of it. */
  run(input: Uint8Array): void | Promise<void>;
  /** Frees what `run` keeps open. */
  close?(): Promise<void>;
}

/** The result, or undefined for a refusal with one of `codes`. Anything else that is thrown is a finding. */
export function resultOrRefusal<T>(codes: readonly ErrorCode[], read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    checkRefusal(codes, thrown);
    return undefined;
  }
}

/** @throws what was thrown, unless it is a NimifyError with one of `codes` that says something */
export function checkRefusal(codes: readonly ErrorCode[], thrown: unknown): void {
  if (!(thrown instanceof NimifyError) || !codes.includes(thrown.code)) throw thrown;
  if (thrown.message.length === 0 || thrown.message.length > 2000) {
    throw new Error(`the message has ${thrown.message.length} characters`, { cause: thrown });
  }
}

export function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
