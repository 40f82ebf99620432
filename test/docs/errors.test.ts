import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorEntry } from '../../src/base/errors/table.ts';

const PAGE = join(import.meta.dirname, '../../docs/errors.md');

it('docs/errors.md holds the table of codes as it is (to write it: vitest run test/docs/errors.test.ts -u)', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const parts = /^([\s\S]*<!-- codes -->\n)[\s\S]*(<!-- end of codes -->\n)$/.exec(page);
  expect(parts, 'the markers around the table').not.toBeNull();
  await expect(`${parts?.[1]}${table()}${parts?.[2]}`).toMatchFileSnapshot(PAGE);
});

function table(): string {
  const rows = Object.entries(ERROR_TABLE).map(([code, entry]: [string, ErrorEntry]) =>
    row(
      `<a id="${code.toLowerCase()}"></a>\`${code}\``,
      String(entry.http ?? '-'),
      entry.grpc ?? '-',
      String(entry.exit),
      entry.retryable,
      entry.meaning,
    ),
  );
  return [
    row('Code', 'HTTP', 'gRPC', 'Exit', 'Retry', 'Meaning'),
    row(...Array<string>(6).fill('---')),
    ...rows,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
