import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from './shell-quote.ts';

describe('shellQuote', () => {
  it('leaves plain words alone', () => {
    expect(shellQuote('models/iris-2.onnx')).toBe('models/iris-2.onnx');
  });

  it('gives back every word through a real shell', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
    const words = fc.array(
      fc.oneof(word, fc.constantFrom("it's", '$(id)', '`id`', 'a b', '!x', '\\', "''", '-n')),
      {
        minLength: 20,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(words, (list) => {
        const script = list.map((text) => `printf '%s\\0' ${shellQuote(text)}`).join('\n');
        const printed = execFileSync('sh', ['-c', script]).toString();
        expect(printed.split('\0').slice(0, -1)).toEqual(list.map((text) => Buffer.from(text).toString()));
      }),
      { numRuns: 10 },
    );
  });
});
