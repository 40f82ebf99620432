import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { ExecSource } from '../engine/exec/engine.ts';

/** A path as somebody wrote it, without the function that it may name: `model.py:predict`. */
export interface NamedPath {
  readonly path: string;
  readonly functionName?: string;
}

const PYTHON_FUNCTION = /^(.+\.py):([^\s:/\\]+)$/i;

/** A file that exists is a file, whatever characters its name holds. */
export async function splitFunction(path: string): Promise<NamedPath> {
  const match = PYTHON_FUNCTION.exec(path);
  if (match === null || (await stat(path).catch(() => undefined)) !== undefined) return { path };
  return { path: match[1]!, functionName: match[2]! };
}

/** How the file is run where it is no model file but a program: Python, or anything that the system can execute. */
export async function toProgram({ path, functionName }: NamedPath): Promise<ExecSource | undefined> {
  if (extname(path).toLowerCase() === '.py') {
    return { kind: 'python', path, ...(functionName === undefined ? {} : { functionName }) };
  }
  return (await isProgram(path)) ? { kind: 'program', path } : undefined;
}

/**
 * First bytes of what systems execute: a script's `#!`, ELF, Windows' MZ, Mach-O (64-bit, and for several
 * processors). No ONNX file begins like this: its first byte is the key of a protobuf field (0x08, 0x12, ...).
 */
const PROGRAM_STARTS = ['2321', '7f454c46', '4d5a', 'cffaedfe', 'cafebabe'];

async function isProgram(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.toString('hex', 0, bytesRead);
    return PROGRAM_STARTS.some((known) => start.startsWith(known));
  } finally {
    await file.close();
  }
}
