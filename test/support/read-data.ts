import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS } from '../require.ts';

/** A JSON file below the data folder's models/. The caller says what is in it. */
export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(MODELS, path), 'utf8')) as T;
}

/** Index of the largest number. */
export function argmax(values: readonly unknown[]): number {
  return (values as readonly number[]).reduce((best, value, i, all) => (value > all[best]! ? i : best), 0);
}
