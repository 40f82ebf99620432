import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { workerUrl } from './module-url.ts';

const root = mkdtempSync(join(tmpdir(), 'nimify-module-url-'));
mkdirSync(join(root, 'src', 'dist', 'b'), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));

function at(...parts: string[]): string {
  return pathToFileURL(join(root, ...parts)).href;
}

describe('workerUrl', () => {
  it('names the built twin of a TypeScript module', () => {
    mkdirSync(join(root, 'src', 'dist', 'a'), { recursive: true });
    writeFileSync(join(root, 'src', 'dist', 'a', 'entry.js'), '');
    expect(workerUrl(at('src', 'src', 'a', 'b.ts'), './entry.ts').href).toBe(
      at('src', 'dist', 'a', 'entry.js'),
    );
  });

  it('stays where it is when it runs built', () => {
    writeFileSync(join(root, 'src', 'dist', 'b', 'entry.js'), '');
    expect(workerUrl(at('src', 'dist', 'b', 'c.js'), './entry.ts').href).toBe(
      at('src', 'dist', 'b', 'entry.js'),
    );
  });

  it('says what to do where nothing was built', () => {
    expect(() => workerUrl(at('src', 'src', 'a', 'b.ts'), './missing.ts')).toThrow(/npm run build/);
  });
});
