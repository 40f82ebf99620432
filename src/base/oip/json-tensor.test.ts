import { describe, expect, it } from 'vitest';
import { toStrings } from '../tensor/bytes.ts';
import type { Datatype } from '../tensor/datatype.ts';
import { floatToHalf, halfToFloat } from '../tensor/half.ts';
import type { BytesData } from '../tensor/tensor.ts';
import { scanTensorValue } from './json-tensor.ts';

const scan = (text: string, datatype: Datatype) =>
  scanTensorValue(new TextEncoder().encode(text), 0, datatype, 'inputs[0].data');

describe('nesting', () => {
  it.each([
    ['5', []],
    [' [ ] ', [0]],
    ['[5]', [1]],
    ['[[]]', [1, 0]],
    ['[[],[]]', [2, 0]],
    ['[[1,2,3],[4,5,6]]', [2, 3]],
    ['[ [ [ 1 ] , [ 2 ] ] ]', [1, 2, 1]],
    [`${'['.repeat(32)}7${']'.repeat(32)}`, new Array(32).fill(1)],
  ])('of %s is its shape', (text, shape) => {
    const scanned = scan(text, 'INT32');
    expect(scanned.shape).toEqual(shape);
    expect(scanned.end).toBe(text.trimEnd().length);
  });

  it.each([
    ['[[1,2],[3]]', 'inputs[0].data[1]: expected 2 elements as in the arrays before, got 1'],
    ['[[[1],[2]],[[3],[4],[5]]]', 'inputs[0].data[1]: expected 2 elements as in the arrays before, got 3'],
    ['[[1],[]]', 'inputs[0].data[1]: expected 1 element as in the arrays before, got 0'],
    ['[[[1,2],[3,4,5]]]', 'inputs[0].data[0][1]: expected 2 elements'],
    ['[[1],2]', 'inputs[0].data[1]: expected an array, got the number 2 (byte 5)'],
    ['[1,[2]]', 'inputs[0].data[1]: expected an integer'],
    ['[[1,2],[3,[4]]]', 'inputs[0].data[1][1]: expected an integer'],
    ['[[],[[1]]]', 'inputs[0].data[1][0]: expected an element (INT32), got an array'],
    ['[[],1]', 'inputs[0].data[1]: expected an array, got the number 1'],
    ['[1,]', 'inputs[0].data[1]: expected an integer'],
    ['[,1]', 'inputs[0].data[0]: expected an integer'],
    ['[[1],]', 'inputs[0].data[1]: expected an array, got the character ]'],
    ['[1 2]', "inputs[0].data[1]: expected ',' or ']', got the number 2 (byte 3)"],
    ['[1', "inputs[0].data[1]: expected ',' or ']', got the end of the JSON (byte 2)"],
    ['', 'inputs[0].data: expected an integer'],
    ['{"a":1}', 'got an object'],
    ['['.repeat(33), 'expected at most 32 levels of nesting'],
  ])('refuses %s', (text, message) => {
    expect(() => scan(text, 'INT32')).toThrow(message);
  });
});

describe('many elements', () => {
  const plain = Array.from({ length: 1500 }, (_, index) => index % 100);
  // Numbers that are not read in runs stand among those that are.
  const mixed = plain.map((value, index) => (index % 97 === 50 ? `${value} ` : value));

  it.each([
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'FP32',
    'FP64',
  ] as const)('of %s are read, however few or many the shape has announced', (datatype) => {
    const bytes = new TextEncoder().encode(`[${mixed.join(',')}]`);
    for (const announced of [0, 1, 20, 1499, 1500, 1501, 5000]) {
      const { data } = scanTensorValue(bytes, 0, datatype, 'inputs[0].data', announced);
      expect(Array.from(data as Int32Array, Number)).toEqual(plain);
    }
  });

  it('of INT64 keep their signs, those of UINT64 have none', () => {
    const values = plain.map((value) => (value % 2 === 0 ? value : -value));
    const text = `[${values.join(',')}]`;
    expect(Array.from(scan(text, 'INT64').data as BigInt64Array, Number)).toEqual(values);
    expect(() => scan(text, 'UINT64')).toThrow(
      expect.objectContaining({
        message:
          'inputs[0].data[1]: expected an integer from 0 to 18446744073709551615 (UINT64), got the number -1 (byte 3)',
      }),
    );
  });
});

describe('integers', () => {
  it.each([
    ['INT8', -128, 127],
    ['INT16', -32768, 32767],
    ['INT32', -2147483648, 2147483647],
    ['UINT8', 0, 255],
    ['UINT16', 0, 65535],
    ['UINT32', 0, 4294967295],
  ] as const)('%s goes from %d to %d', (datatype, lowest, highest) => {
    expect(Array.from(scan(`[${lowest},${highest},-0]`, datatype).data as Int32Array)).toEqual([
      lowest,
      highest,
      0,
    ]);
    const expected = `expected an integer from ${lowest} to ${highest} (${datatype})`;
    for (const wrong of [
      lowest - 1,
      highest + 1,
      '1.0',
      '1e1',
      '1.5',
      '"1"',
      'true',
      'null',
      '1e400',
      '9'.repeat(400),
    ]) {
      expect(() => scan(`[${wrong}]`, datatype)).toThrow(`inputs[0].data[0]: ${expected}`);
    }
  });

  it.each([
    ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
    ['UINT64', 0n, 2n ** 64n - 1n],
  ] as const)('%s goes from %d to %d, every digit kept', (datatype, lowest, highest) => {
    const values = [
      lowest,
      highest,
      lowest + 1n,
      highest - 1n,
      0n,
      1n,
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 32n,
      2n ** 31n,
    ];
    expect(Array.from(scan(`[${values.join(',')}]`, datatype).data as BigInt64Array)).toEqual(values);
    for (const wrong of [lowest - 1n, highest + 1n, '1.0', '1e1', '"1"', '9'.repeat(400)]) {
      expect(() => scan(`[${wrong}]`, datatype)).toThrow(
        `expected an integer from ${lowest} to ${highest} (${datatype})`,
      );
    }
  });

  it('of INT64 may be negative and short', () => {
    const values = [-1n, -2n, -4294967296n, -4294967297n, -9007199254740991n, -9007199254740993n];
    expect(Array.from(scan(`[${values.join(',')}]`, 'INT64').data as BigInt64Array)).toEqual(values);
  });
});

describe('floats', () => {
  it('are rounded to the nearest of the datatype', () => {
    expect(scan('[0.1,-0,16777217]', 'FP32').data).toEqual(Float32Array.of(0.1, -0, 16777216));
    expect(scan('[0.1,1e-400,5e-324]', 'FP64').data).toEqual(Float64Array.of(0.1, 0, 5e-324));
    expect(scan('[0.1,-65504]', 'FP16').data).toEqual(Uint16Array.of(floatToHalf(0.1), floatToHalf(-65504)));
    expect(scan('[1,-3.14]', 'BF16').data).toEqual(Uint16Array.of(0x3f80, 0xc049));
  });

  it.each(['FP16', 'BF16', 'FP32', 'FP64'] as const)(
    '%s takes NaN and infinities as words and as strings',
    (datatype) => {
      const text = '[NaN,"NaN",Infinity,"Infinity",-Infinity,"-Infinity"]';
      const { data } = scan(text, datatype);
      const { NaN: nan, POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number;
      const values = Array.from(data as Float32Array).map((value) => {
        if (datatype === 'FP16') return halfToFloat(value);
        return datatype === 'BF16' ? [nan, up, down][[0x7fc0, 0x7f80, 0xff80].indexOf(value)] : value;
      });
      expect(values).toEqual([nan, nan, up, up, down, down]);
    },
  );

  it.each([
    ['FP32', '3.5e38'],
    ['FP32', '-1e999'],
    ['FP64', '1e309'],
    ['FP16', '65520'],
    ['BF16', '3.4e38'],
  ] as const)('%s refuses %s, which would become infinite', (datatype, text) => {
    expect(() => scan(`[0,${text}]`, datatype)).toThrow(
      `inputs[0].data[1]: expected a number within the range of ${datatype}, or the string "Infinity", got ${text}`,
    );
  });

  it.each([
    'null',
    'true',
    '"1.5"',
    '"nan"',
    'nan',
    '-NaN',
    '+1',
    '01',
    '1.',
    '.5',
    '1e',
    '--1',
    '0x10',
    '1_000',
  ])('are not written %s', (text) => {
    expect(() => scan(`[${text}]`, 'FP32')).toThrow('inputs[0].data');
  });
});

describe('BOOL', () => {
  it('takes true, false, 1 and 0', () => {
    expect(scan('[true,false,1,0]', 'BOOL').data).toEqual(Uint8Array.of(1, 0, 1, 0));
  });

  it.each(['2', '10', '1.0', '0e1', '"true"', 'null', 'tru', '-0'])('refuses %s', (text) => {
    expect(() => scan(`[${text}]`, 'BOOL')).toThrow('inputs[0].data[0]: expected true, false, 1 or 0 (BOOL)');
  });
});

describe('BYTES', () => {
  it('takes text with escapes of every kind', () => {
    const { data } = scan('["", "a", "\\u00fc\\n\\"\\\\\\/", "漢", "\\ud83d\\ude42", "x\\u0000y"]', 'BYTES');
    expect(toStrings(data as BytesData)).toEqual(['', 'a', 'ü\n"\\/', '漢', '🙂', 'x\0y']);
  });

  it('takes long texts, and many', () => {
    const strings = Array.from({ length: 3000 }, (_, index) => 'ä'.repeat(index % 300));
    expect(toStrings(scan(JSON.stringify(strings), 'BYTES').data as BytesData)).toEqual(strings);
  });

  it('refuses what is no text', () => {
    expect(() => scan('["a",1]', 'BYTES')).toThrow(
      'inputs[0].data[1]: expected a string, got the number 1 (byte 5)',
    );
    expect(() => scan('["\\ud800"]', 'BYTES')).toThrow(
      'inputs[0].data[0]: expected a surrogate escape to be one of a pair',
    );
    const bytes = Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d);
    expect(() => scanTensorValue(bytes, 0, 'BYTES', 'inputs[0].data')).toThrow(
      'inputs[0].data[0]: expected UTF-8 text',
    );
  });
});

describe('reserving', () => {
  it('goes by the body, not by a shape that lies', () => {
    const bytes = new TextEncoder().encode('[1,2,3]');
    const { data } = scanTensorValue(bytes, 0, 'INT64', 'x', Number.MAX_SAFE_INTEGER);
    expect(data).toEqual(BigInt64Array.of(1n, 2n, 3n));
    expect((data as BigInt64Array).buffer.byteLength).toBeLessThanOrEqual(8 * 8);
  });
});

describe('booleans', () => {
  it.each([
    ['true', [1]],
    ['[true,false,1,0]', [1, 0, 1, 0]],
    ['[ 0 , 1 ]', [0, 1]],
    ['1', [1]],
    ['0', [0]],
    [`[${Array(40).fill('true').join()}]`, Array(40).fill(1)],
  ])('%s', (text, values) => {
    expect([...(scan(text, 'BOOL').data as Uint8Array)]).toEqual(values);
  });

  it.each([
    'tru',
    'truE',
    'falsy',
    'fals',
    '2',
    '10',
    '19',
    '00',
    '0.0',
    '1.',
    '1e0',
    '1E0',
    '-0',
    '"true"',
    'null',
    't',
    'f',
  ])('refuses %s', (text) => {
    expect(() => scan(`[${text}]`, 'BOOL')).toThrow('inputs[0].data[0]: expected true, false, 1 or 0 (BOOL)');
    expect(() => scan(text, 'BOOL')).toThrow('inputs[0].data: expected true, false, 1 or 0 (BOOL)');
  });
});

describe('strings', () => {
  it('take no more room than the text that may come, and keep what they had when they grow', () => {
    const strings = Array.from({ length: 300 }, (_, i) => 'é'.repeat(i % 7) + String(i));
    const { data } = scan(JSON.stringify(strings), 'BYTES');
    expect(toStrings(data as BytesData)).toEqual(strings);
    const { bytes, offsets } = data as BytesData;
    expect(offsets).toHaveLength(301);
    expect(bytes.length).toBe(offsets[300]);
    expect(bytes.buffer.byteLength).toBeLessThanOrEqual(JSON.stringify(strings).length * 2);
  });

  it('of one long element', () => {
    const long = 'x'.repeat(100_000);
    expect(toStrings(scan(JSON.stringify([long]), 'BYTES').data as BytesData)).toEqual([long]);
    expect((scan(JSON.stringify([long]), 'BYTES').data as BytesData).bytes.buffer.byteLength).toBeLessThan(
      100_100,
    );
  });
});
