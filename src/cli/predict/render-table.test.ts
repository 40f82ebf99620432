import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../base/tensor/bytes.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { renderTable } from './render-table.ts';

const same = (text: string) => text;
const PLAIN = { bold: same, dim: same, red: same, yellow: same };

function render(output: Tensor, options: { top?: number; names?: readonly string[] } = {}): string {
  return renderTable(
    { model: 'm', version: '1', outputs: [output] },
    {
      labels: options.names === undefined ? {} : { [output.name]: options.names },
      style: PLAIN,
      ...(options.top === undefined ? {} : { top: options.top }),
    },
  );
}

const SCORES: Tensor = {
  name: 's',
  datatype: 'FP32',
  shape: [2, 3],
  data: Float32Array.of(0.1, 0.7, 0.2, 0.5, 0, 0.5),
};

describe('renderTable', () => {
  it('shows the best classes of each row with their names', () => {
    expect(render(SCORES, { names: ['cat', 'dog', 'eel'], top: 2 })).toBe(
      's  FP32 [2,3]\n  0: 0.7000  dog (1)\n     0.2000  eel (2)\n  1: 0.5000  cat (0)\n     0.5000  eel (2)\n',
    );
  });

  it('shows the best classes by number where asked and there are no names', () => {
    const logits: Tensor = {
      name: 'l',
      datatype: 'FP16',
      shape: [1, 2, 1, 1],
      data: Uint16Array.of(0xc000, 0x4200),
    };
    expect(render(logits, { top: 5 })).toBe('l  FP16 [1,2,1,1]\n   3  class 1\n  -2  class 0\n');
  });

  it('does not give the number twice where classes are called by it', () => {
    expect(render(SCORES, { names: ['0', '1', '2'], top: 1 })).toBe(
      's  FP32 [2,3]\n  0: 0.7000  class 1\n  1: 0.5000  class 0\n',
    );
  });

  it('shows short tensors whole', () => {
    expect(render(SCORES)).toBe('s  FP32 [2,3]\n  0: 0.1  0.7  0.2\n  1: 0.5  0  0.5\n');
    const big: Tensor = { name: 'i', datatype: 'INT64', shape: [], data: BigInt64Array.of(2n ** 63n - 1n) };
    expect(render(big)).toBe('i  INT64 []\n  9223372036854775807\n');
    const truth: Tensor = { name: 'b', datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) };
    expect(render(truth)).toBe('b  BOOL [2]\n  true  false\n');
    expect(render({ ...SCORES, shape: [0, 3], data: new Float32Array(0) })).toBe(
      's  FP32 [0,3]\n  no elements\n',
    );
  });

  it('names class indexes, and shows an index without a name as it is', () => {
    const label: Tensor = { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(1n, 7n) };
    expect(render(label, { names: ['a', 'b'] })).toBe('label  INT64 [2]\n  0: b (1)\n  1: 7\n');
  });

  it('shows text a line each, without what would steer the terminal', () => {
    const text: Tensor = {
      name: 't',
      datatype: 'BYTES',
      shape: [2],
      data: toBytesData(['Où', '\u001b[2Jx']),
    };
    expect(render(text)).toBe('t  BYTES [2]\n  0: Où\n  1: \\u001b[2Jx\n');
  });

  it('sums long tensors up', () => {
    const data = Float32Array.from({ length: 100 }, (_, at) => at);
    expect(render({ name: 'l', datatype: 'FP32', shape: [1, 100], data })).toBe(
      'l  FP32 [1,100]\n  100 values: min 0, max 99, mean 49.5; first 0  1  2  3  4  5  6  7 ...\n',
    );
    data[5] = Number.NaN;
    expect(render({ name: 'l', datatype: 'FP32', shape: [1, 100], data })).toContain('1 NaN');
    data.fill(Number.NaN);
    expect(render({ name: 'l', datatype: 'FP32', shape: [1, 100], data })).toContain('100 values, all NaN');
  });

  it('counts rows beyond the first ten', () => {
    const data = Float32Array.from({ length: 40 }, (_, at) => at);
    const lines = render({ name: 'r', datatype: 'FP32', shape: [20, 2], data }).split('\n');
    expect(lines).toHaveLength(13);
    expect(lines[11]).toBe('  ... 10 rows more; --json prints all');
  });
});
