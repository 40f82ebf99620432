import { describe, expect, it } from 'vitest';
import { fits, readConsoleBlocks } from './console-blocks.ts';

describe('console blocks', () => {
  it('are read with their commands and output', () => {
    const markdown = [
      'Text.',
      '```sh',
      '$ not this one',
      '```',
      '```console server',
      '$ npm start',
      '...',
      'ready',
      '```',
      '```console',
      '$ curl \\',
      '    -d x',
      'a',
      '',
      '$ true',
      '```',
      '```console stop',
      '^C',
      '```',
      '',
    ].join('\n');
    expect(readConsoleBlocks(markdown)).toEqual([
      { kind: 'server', line: 5, steps: [{ command: 'npm start', output: ['...', 'ready'] }] },
      {
        kind: 'run',
        line: 10,
        steps: [
          { command: 'curl \\\n    -d x', output: ['a', ''] },
          { command: 'true', output: [] },
        ],
      },
      { kind: 'stop', line: 17, steps: [{ command: '^C', output: [] }] },
    ]);
  });

  it.each([
    ['a\nb\n', ['a', 'b'], true],
    ['a\nb\n', ['a'], false],
    ['a\n', ['a', 'b'], false],
    ['x\ny\na\n', ['...', 'a'], true],
    ['a\n', ['...', 'a', '...'], true],
    ['took 12.3 ms (fast)\n', ['took ... ms (fast)'], true],
    ['took long\n', ['took ... ms'], false],
    ['\u001b[32mgreen\u001b[39m  \n', ['green'], true],
    ['[1]\n', ['.1.'], false],
    ['', [], true],
    ['text\n', [], false],
  ])('%j against %j: %s', (printed, shown, expected) => {
    expect(fits(printed, shown)).toBe(expected);
  });
});
