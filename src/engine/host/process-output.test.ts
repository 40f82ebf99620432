import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { readOutput } from './process-output.ts';

async function linesOf(
  chunks: readonly (string | Buffer)[],
  clock = createFakeClock(),
): Promise<readonly string[]> {
  const lines: string[] = [];
  const stream = new PassThrough();
  readOutput(stream, clock, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  await new Promise<void>((resolve) => {
    stream.on('end', resolve).end();
  });
  return lines;
}

describe('readOutput', () => {
  it('passes on whole lines, without blank ones', async () => {
    expect(await linesOf(['a\nb', 'c\r\n\n  \nlast'])).toEqual(['a', 'bc', 'last']);
  });

  it('joins characters that were cut in the middle', async () => {
    const text = Buffer.from('grün 😀\n');
    expect(await linesOf([...text].map((byte) => Buffer.of(byte)))).toEqual(['grün 😀']);
  });

  it('does not let a line without an end grow', async () => {
    const lines = await linesOf(['x'.repeat(5000), 'y'.repeat(5000), '\n']);
    expect(lines.join('').replaceAll('.', '')).toHaveLength(10_000);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(4096 + 3);
  });

  it('counts what comes too fast, and goes on a second later', async () => {
    const clock = createFakeClock();
    const lines: string[] = [];
    const stream = new PassThrough();
    readOutput(stream, clock, (line) => lines.push(line));
    stream.write('many\n'.repeat(1000));
    await new Promise(setImmediate);
    expect(lines).toHaveLength(200);
    clock.advance(1000);
    stream.end('later\n');
    await new Promise<void>((resolve) => {
      stream.on('end', resolve);
    });
    expect(lines.slice(200)).toEqual(['(800 more lines were dropped)', 'later']);
  });
});
