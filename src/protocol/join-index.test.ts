import { describe, expect, it } from 'vitest';
import type { IndexEntry } from '../registry/live/contract.ts';
import { joinIndexes } from './join-index.ts';

const entry = (name: string, state: IndexEntry['state'], reason = ''): IndexEntry => ({
  ...{ name, version: '1', state, reason },
});

describe('joinIndexes', () => {
  it('leaves that of one process as it is', () => {
    const entries = [entry('b', 'READY'), entry('a', 'UNAVAILABLE', 'unloaded')];
    expect(joinIndexes([entries])).toBe(entries);
  });

  it('has ready what is so in all, and says of the rest why it is not', () => {
    const one = [entry('a', 'READY'), entry('b', 'READY'), entry('c', 'READY'), entry('e', 'READY')];
    const other = [
      entry('b', 'UNAVAILABLE', 'no memory'),
      entry('a', 'READY'),
      entry('d', 'READY'),
      entry('e', 'READY', 'its new files could not be loaded'),
    ];
    expect(joinIndexes([one, other])).toEqual([
      entry('a', 'READY'),
      entry('b', 'UNAVAILABLE', 'no memory'),
      entry('c', 'LOADING', 'not in all processes yet'),
      entry('d', 'LOADING', 'not in all processes yet'),
      entry('e', 'READY', 'its new files could not be loaded'),
    ]);
  });

  it('holds versions apart, and models of which no version could be looked at', () => {
    const versions = [entry('a', 'READY'), { ...entry('a', 'READY'), version: '2' }];
    const whole: IndexEntry = { name: 'x', state: 'UNAVAILABLE', reason: 'empty' };
    expect(
      joinIndexes([
        [...versions, whole],
        [whole, ...versions],
      ]),
    ).toEqual([...versions, whole]);
  });
});
