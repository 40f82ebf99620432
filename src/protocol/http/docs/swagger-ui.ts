import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The files of swagger-ui-dist that the page needs. */
export const ASSETS = [
  { name: 'swagger-ui.css', contentType: 'text/css; charset=utf-8' },
  { name: 'swagger-ui-bundle.js', contentType: 'text/javascript; charset=utf-8' },
  { name: 'favicon-32x32.png', contentType: 'image/png' },
] as const;

export type AssetName = (typeof ASSETS)[number]['name'];

/** Reads the file from the installed package on each use: it is looked at seldom and not worth the memory. */
export function readAsset(name: AssetName): Promise<Uint8Array> {
  const manifest = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
  return readFile(join(dirname(manifest), name));
}
