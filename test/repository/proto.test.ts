import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PROTO = join(ROOT, 'proto');
const GENERATED = join(ROOT, 'src/protocol/grpc/generated');

const files = readdirSync(PROTO, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.proto'),
);

it.each(files)('what is generated from %s is up to date (node scripts/generate-proto.mjs)', (path) => {
  const proto = readFileSync(join(PROTO, path), 'utf8');
  const generated = readFileSync(join(GENERATED, path.replace(/\.proto$/, '_pb.ts')), 'utf8');
  const wanted = proto.match(/^\s+(?:[\w<>., ]+ )?\w+ = \d+;$/gm)?.map((line) => line.trim()) ?? [];
  const written = [...generated.matchAll(/@generated from (?:field|enum value): (.*;)$/gm)].map(([, line]) =>
    // Types are written in full there.
    (line ?? '').replaceAll(/\b(?:grpc|inference)(?:\.\w+)*\.(\w+)/g, '$1'),
  );
  expect(written.sort()).toEqual(
    wanted.map((line) => line.replaceAll(/\b\w+(?:\.\w+)*\.(\w+)/g, '$1')).sort(),
  );
});
