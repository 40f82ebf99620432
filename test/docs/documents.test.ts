/** Does what README.md and the quickstart tell a newcomer to do, and expects what they say is printed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../require.ts';
import { readConsoleBlocks } from './console-blocks.ts';
import { type ConsoleSession, createConsoleSession } from './console-session.ts';

const ROOT = join(import.meta.dirname, '../..');

const DOCUMENTS = existing(
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
);

describeWith(['curl'], 'documents do what they say', () => {
  describe.each(
    existing(
      'README.md',
      'docs/quickstart.md',
      'docs/requests.md',
      'docs/triton.md',
      'docs/clients.md',
      'docs/batching.md',
      'docs/tuning.md',
    ),
  )('%s', (document) => {
    const blocks = readConsoleBlocks(readFileSync(join(ROOT, document), 'utf8'));
    let session: ConsoleSession;

    beforeAll(async () => {
      session = await createConsoleSession();
    });

    afterAll(async () => {
      await session?.close();
    });

    it('shows something', () => {
      expect(blocks.length).toBeGreaterThan(0);
    });

    for (const block of blocks) {
      it(`line ${block.line}: ${block.steps[0]?.command.split('\n')[0]}`, () => session.play(block));
    }
  });
});

it('link to documents that are there', () => {
  const broken = DOCUMENTS.flatMap((document) =>
    [...readFileSync(join(ROOT, document), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !existsSync(join(ROOT, document, '..', target)))
      .map((target) => `${document} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

it('name files of the checkout that are there', () => {
  const named = /`((?:adapters|bench|bin|docs|examples|proto|scripts|src|test)\/\w[\w./-]*)`/g;
  const gone = DOCUMENTS.flatMap((document) =>
    [...readFileSync(join(ROOT, document), 'utf8').matchAll(named)]
      .map((match) => match[1] as string)
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${document}: ${path}`),
  );
  expect(gone).toEqual([]);
});

function existing(...documents: readonly string[]): string[] {
  return documents.filter((document) => existsSync(join(ROOT, document)));
}
