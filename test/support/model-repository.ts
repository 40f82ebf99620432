import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';

/** X FP32 [N,4] -> label INT64 [N], probabilities FP32 [N,3]. */
export const IRIS = fileURLToPath(new URL('../../examples/demo/iris/model.onnx', import.meta.url));
/** image FP32 [N,1,8,8] -> label INT64 [N], probabilities FP32 [N,10]. */
export const DIGITS = fileURLToPath(new URL('../../examples/demo/digits/model.onnx', import.meta.url));
/** The first 100 bytes of a model. */
export const TRUNCATED = fileURLToPath(new URL('../fixtures/truncated.onnx', import.meta.url));

export interface ModelRepository {
  /** Absolute; a new folder for each test. */
  readonly path: string;
  at(...parts: readonly string[]): string;
  /** Writes text to a file within, and makes its folders. */
  write(path: string, text: string | Uint8Array): void;
  /** Copies a file there, and makes its folders. */
  copy(from: string, path: string): void;
  remove(path: string): void;
}

/** An empty folder for each test of the `describe` that it is called in. */
export function modelRepository(): ModelRepository {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nimify-repository-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function at(...parts: readonly string[]): string {
    return join(root, ...parts);
  }

  function prepare(path: string): string {
    mkdirSync(dirname(at(path)), { recursive: true });
    return at(path);
  }

  return {
    get path() {
      return root;
    },
    at,
    write: (path, text) => writeFileSync(prepare(path), text),
    copy: (from, path) => copyFileSync(from, prepare(path)),
    remove: (path) => rmSync(at(path), { recursive: true, force: true }),
  };
}
