/** Runs the programs of docs/clients.md against the demo models, and compares what they print. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';
import { describeWith, pythonPath } from '../require.ts';
import { runNimify } from '../support/nimify.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLIENT = join(ROOT, 'dist/client/client');
const run = promisify(execFile);

interface Program {
  readonly language: string;
  readonly source: string;
  readonly printed: string;
}

/** Each block of code, with the block of text behind it. */
const programs = [
  ...readFileSync(join(ROOT, 'docs/clients.md'), 'utf8').matchAll(
    /^```(ts|python)\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm,
  ),
].map(([, language = '', source = '', printed = '']): Program => ({ language, source, printed }));

describe('docs/clients.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-docs-'));
  let server: RunningServer;

  beforeAll(async () => {
    server = await createServer({
      models: [join(ROOT, 'examples/demo')],
      httpPort: 0,
      grpcPort: 0,
      metricsPort: false,
    });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [lang, file] of [
      ['ts', 'models.ts'],
      ['python', 'models.py'],
    ] as const) {
      await runNimify('client', '--lang', lang, '--url', server.url, '--output', join(folder, file));
    }
  });

  afterAll(async () => {
    await server?.close({ graceMs: 0 });
    rmSync(folder, { recursive: true });
  });

  /** With the ports of the server that is asked here. */
  function actual(source: string): string {
    return source
      .replaceAll('http://127.0.0.1:8000', server.url)
      .replaceAll('grpc://127.0.0.1:8001', `grpc://${server.grpcAddress}`);
  }

  it('has programs in both languages, and for both clients', () => {
    expect(programs.map(({ language }) => language)).toEqual(['ts', 'python', 'ts']);
  });

  for (const [index, { source, printed }] of programs.entries()) {
    if (programs[index]?.language !== 'ts') continue;
    it(`program ${index + 1} compiles and prints what is shown`, async () => {
      writeFileSync(join(folder, `program-${index}.ts`), actual(source));
      const options = {
        ...{ target: 'es2023', module: 'nodenext', strict: true, skipLibCheck: true, outDir: 'out' },
        ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
        paths: { 'nimify/client': [`${CLIENT}.d.ts`] },
      };
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: [`program-${index}.ts`] }),
      );
      await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]).catch(
        (failed: { readonly stdout: string }) => {
          throw new Error(failed.stdout);
        },
      );
      const path = join(folder, 'out', `program-${index}.js`);
      const compiled = readFileSync(path, 'utf8');
      writeFileSync(path, compiled.replace("'nimify/client'", `'${pathToFileURL(`${CLIENT}.js`)}'`));
      expect((await run(process.execPath, [path])).stdout).toBe(printed);
    });
  }

  describeWith(['requests'], 'the program in Python', () => {
    it('prints what is shown', async () => {
      const program = programs.find(({ language }) => language === 'python');
      const path = join(folder, 'program.py');
      writeFileSync(path, actual(program?.source ?? ''));
      expect((await run(pythonPath(), ['-B', path])).stdout).toBe(program?.printed);
    });
  });
});
