import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../base/util/clock.ts';

/** A longer line is cut there. */
const MAX_LINE = 4096;
/** Lines of one stream that are logged within a second; further ones are counted. */
const LINES_A_SECOND = 200;

/**
 * Reads what a child prints, to its end, and passes it on line by line. The stream is always read: a child whose
 * pipe is full would wait in the middle of a run. What comes too fast is dropped, and how much is said.
 */
export function readOutput(stream: Readable, clock: Clock, write: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let partial = '';
  let secondNs = clock.nowNs();
  let lines = 0;

  function pass(line: string): void {
    const nowNs = clock.nowNs();
    if (nowNs - secondNs >= 1e9) {
      sayDropped();
      secondNs = nowNs;
      lines = 0;
    }
    lines += 1;
    if (lines <= LINES_A_SECOND) write(line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}...`);
  }

  function sayDropped(): void {
    if (lines > LINES_A_SECOND) write(`(${lines - LINES_A_SECOND} more lines were dropped)`);
  }

  stream.on('data', (chunk: Buffer) => {
    const pieces = (partial + decoder.write(chunk)).split(/\r?\n/);
    partial = pieces.pop() ?? '';
    // Without an end in sight the line is passed on in parts, so that it does not grow without bound.
    if (partial.length > MAX_LINE) pieces.push(partial.slice(0, MAX_LINE));
    if (partial.length > MAX_LINE) partial = partial.slice(MAX_LINE);
    for (const line of pieces) if (line.trim() !== '') pass(line);
  });
  stream.on('end', () => {
    const rest = partial + decoder.end();
    if (rest.trim() !== '') pass(rest);
    sayDropped();
  });
  stream.on('error', () => {}); // a pipe that breaks has no more to say; the process's end is heard elsewhere
}
