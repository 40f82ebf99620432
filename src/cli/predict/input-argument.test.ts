import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../../model/signature.ts';
import { listInputs, parseInputArgument } from './input-argument.ts';

function spec(name: string, fields: Partial<TensorSpec> = {}): TensorSpec {
  return { name, datatype: 'FP32', shape: [-1, 4], dimensionNames: ['N', undefined], ...fields };
}

const X = spec('X');

describe('parseInputArgument', () => {
  it.each([
    ['X=1,2', { kind: 'text', text: '1,2' }],
    ['X=@a.npy', { kind: 'file', path: 'a.npy' }],
    ['X=@-', { kind: 'standard-input' }],
    ['X=@', { kind: 'text', text: '@' }],
    ['X=', { kind: 'text', text: '' }],
    ['1,2', { kind: 'text', text: '1,2' }],
    ['@a=b.jpg', { kind: 'file', path: 'a=b.jpg' }],
    ['a sum: 1=1', { kind: 'text', text: 'a sum: 1=1' }],
  ])('takes %j apart', (argument, source) => {
    expect(parseInputArgument(argument, [X])).toEqual({ spec: X, source });
  });

  it('means the longest name that fits, and names may hold anything', () => {
    const [short, long] = [spec('a'), spec('a=b/c:0')];
    expect(parseInputArgument('a=b/c:0=1', [short, long]).spec).toBe(long);
    expect(parseInputArgument('a=b', [short, long]).spec).toBe(short);
  });

  it('knows the one input meant without a name by the others having defaults', () => {
    expect(parseInputArgument('1', [spec('w', { optional: true }), X]).spec).toBe(X);
    expect(parseInputArgument('1', [X, spec('Y')]).spec).toBeUndefined();
  });

  it('takes a mistyped name for that, not for text', () => {
    const text = spec('text', { datatype: 'BYTES', shape: [-1] });
    expect(() => parseInputArgument('texd=hello', [text])).toThrow(/no input 'texd'; did you mean 'text'\?/);
    expect(() => parseInputArgument('image=hello', [text])).toThrow("no input 'image'. It takes\n  text=...");
    expect(parseInputArgument('text=texd=hello', [text]).source).toEqual({
      kind: 'text',
      text: 'texd=hello',
    });
  });

  it('lists what a model takes, and counts what may be left out', () => {
    const specs = [X, spec('w', { optional: true }), spec('v', { optional: true })];
    expect(listInputs(specs)).toBe('  X=...  FP32 [N,4]\n  and 2 that may be left out');
  });
});
