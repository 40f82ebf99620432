import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseExactly } from './exact-json.ts';
import { fromBytes, fromHalf, toBytes, toHalf } from './tensor.ts';
import { readTensorProto } from './tensor-proto.ts';

describe('half precision of the tests', () => {
  it('knows the values of IEEE 754-2019, table 3.5', () => {
    expect(fromHalf(0x3c00)).toBe(1);
    expect(fromHalf(0x7bff)).toBe(65504);
    expect(fromHalf(0x0001)).toBe(2 ** -24);
    expect(fromHalf(0xc000)).toBe(-2);
    expect(toHalf(0.1)).toBe(0x2e66);
    expect(toHalf(65519)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(-0)).toBe(0x8000);
  });

  it('writes every half back to its own bits', () => {
    for (let bits = 0; bits < 0x10000; bits += 1) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
  });
});

describe('bytes of the tests', () => {
  it.each([
    ['INT64', [-(2n ** 63n), 2n ** 63n - 1n]],
    ['UINT64', [0n, 2n ** 64n - 1n]],
    ['BYTES', ['', 'ü', '日本']],
    ['BOOL', [true, false]],
    ['INT8', [-128, 127]],
    ['FP64', [Math.PI, -0]],
  ])('reads back %s', (datatype, values) => {
    expect(fromBytes(datatype, toBytes({ datatype, values }))).toEqual(values);
  });
});

describe('JSON of the tests', () => {
  it('keeps integers', () => {
    expect(parseExactly('{"a": [9223372036854775807, -1, 1.5e3, "x\\"", null, []]}')).toEqual({
      a: [9223372036854775807n, -1, 1500, 'x"', null, []],
    });
  });

  it.each(['[1,]', '{"a" 1}', '[NaN]', '01', '[1] 2', '"a'])('refuses %s', (text) => {
    expect(() => parseExactly(text)).toThrow(SyntaxError);
  });
});

describe('TensorProto of the tests', () => {
  it('reads packed dims, a name and raw data', () => {
    const bytes = [0x0a, 2, 2, 1, 0x10, 6, 0x42, 1, 0x78, 0x4a, 8, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    const path = join(mkdtempSync(join(tmpdir(), 'nimify-')), 'input_0.pb');
    writeFileSync(path, Buffer.from(bytes));
    expect(readTensorProto(path)).toEqual({ name: 'x', datatype: 'INT32', shape: [2, 1], values: [1, -1] });
  });

  it('reads unpacked typed data', () => {
    const bytes = [0x08, 2, 0x10, 7, 0x38, 5, 0x38, ...Array(9).fill(0xff), 0x01];
    const path = join(mkdtempSync(join(tmpdir(), 'nimify-')), 'input_0.pb');
    writeFileSync(path, Buffer.from(bytes));
    expect(readTensorProto(path).values).toEqual([5n, -1n]);
  });
});
