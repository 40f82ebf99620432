import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the package onnxruntime-node lies, and its version. */
export interface RuntimePackage {
  readonly folder: string;
  readonly version: string;
}

export function findPackage(): RuntimePackage {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('onnxruntime-node/package.json');
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  return { folder: dirname(manifest), version };
}

/** Where its binaries for this machine are. */
export function binaryFolder({ folder }: RuntimePackage = findPackage()): string {
  return join(folder, 'bin', 'napi-v6', process.platform, process.arch);
}
