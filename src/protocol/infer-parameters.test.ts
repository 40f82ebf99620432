import { describe, expect, it } from 'vitest';
import type { Parameters } from '../model/request.ts';
import { sequenceOf } from './infer-parameters.ts';

describe('sequenceOf', () => {
  it('reads id, start and end', () => {
    expect(sequenceOf({ sequence_id: 42, sequence_start: true })).toEqual({
      id: 42,
      start: true,
      end: false,
    });
    expect(sequenceOf({ sequence_id: 'a', sequence_end: true })).toEqual({
      id: 'a',
      start: false,
      end: true,
    });
  });

  it('takes 0 and the empty string for no sequence', () => {
    expect(sequenceOf({})).toBeUndefined();
    expect(sequenceOf({ sequence_id: 0 })).toBeUndefined();
    expect(sequenceOf({ sequence_id: '' })).toBeUndefined();
  });

  it.each([
    { sequence_start: true },
    { sequence_id: 0, sequence_end: true },
    { sequence_id: true },
    { sequence_id: 1.5 },
    { sequence_id: -1 },
    { sequence_id: 1, sequence_start: 'yes' },
  ])('refuses %j', (parameters) => {
    expect(() => sequenceOf(parameters as Parameters)).toThrow(/parameters\.sequence_/);
  });
});
