import { describe, expect, it } from 'vitest';
import { toBytesData, toStrings } from '../base/tensor/bytes.ts';
import type { Datatype } from '../base/tensor/datatype.ts';
import { floatToBfloat16, floatToHalf } from '../base/tensor/half.ts';
import { isBytesData, type Tensor, type TensorData } from '../base/tensor/tensor.ts';
import { type ClassificationOptions, classify, sixDecimals } from './classification.ts';

const WHERE = 'outputs[0].parameters.classification';
const LABELS = ['cat', 'dog', 'eel'];

function ask(
  datatype: Datatype,
  shape: readonly number[],
  data: TensorData,
  fields: Partial<ClassificationOptions> = {},
): Tensor {
  const options = { count: 2, hasRows: false, labels: [], where: WHERE, ...fields };
  return classify({ name: 'y', datatype, shape, data }, options);
}

function textsOf({ data }: Tensor): readonly string[] {
  return isBytesData(data) ? toStrings(data) : [];
}

describe('classify', () => {
  it('gives the best classes of each row, with their labels', () => {
    const scores = Float32Array.of(0.5, 0.25, 0.125, 0, 2, 1);
    const best = ask('FP32', [2, 3], scores, { hasRows: true, labels: LABELS });
    expect(best).toMatchObject({ name: 'y', datatype: 'BYTES', shape: [2, 2] });
    expect(textsOf(best)).toEqual(['0.500000:0:cat', '0.250000:1:dog', '2.000000:1:dog', '1.000000:2:eel']);
  });

  it('takes all elements for classes where no dimension counts rows', () => {
    const best = ask('FP64', [2, 2], Float64Array.of(1.1, 3.3, 0.5, 2.4));
    expect(best.shape).toEqual([2]);
    expect(textsOf(best)).toEqual(['3.300000:1', '2.400000:3']);
  });

  it('takes what is behind the rows for classes, whatever its shape', () => {
    const best = ask('INT32', [2, 1, 3], Int32Array.of(1, 2, 3, 6, 5, 4), { hasRows: true, count: 1 });
    expect([best.shape, textsOf(best)]).toEqual([
      [2, 1],
      ['3:2', '6:0'],
    ]);
    expect(textsOf(ask('INT32', [2], Int32Array.of(7, 8), { hasRows: true }))).toEqual(['7:0', '8:0']);
    expect(textsOf(ask('INT32', [], Int32Array.of(7), { hasRows: true }))).toEqual(['7:0']);
  });

  it('gives no more classes than there are, and labels where there are any', () => {
    const best = ask('UINT8', [4], Uint8Array.of(1, 5, 10, 4), { count: 9, labels: LABELS });
    expect(best.shape).toEqual([4]);
    expect(textsOf(best)).toEqual(['10:2:eel', '5:1:dog', '4:3', '1:0:cat']);
    expect(ask('FP32', [0, 3], new Float32Array(0), { hasRows: true }).shape).toEqual([0, 2]);
    expect(ask('FP32', [2, 0], new Float32Array(0), { hasRows: true }).shape).toEqual([2, 0]);
  });

  it('reads every datatype of numbers exactly', () => {
    expect(textsOf(ask('INT64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)))).toEqual([
      '9007199254740993:1',
      '-9223372036854775808:0',
    ]);
    expect(textsOf(ask('UINT64', [2], BigUint64Array.of(2n ** 64n - 1n, 2n ** 64n - 2n)))).toEqual([
      '18446744073709551615:0',
      '18446744073709551614:1',
    ]);
    expect(textsOf(ask('FP16', [2], Uint16Array.of(floatToHalf(-1), floatToHalf(0.5))))).toEqual([
      '0.500000:1',
      '-1.000000:0',
    ]);
    expect(textsOf(ask('BF16', [2], Uint16Array.of(floatToBfloat16(-3), floatToBfloat16(-2))))).toEqual([
      '-2.000000:1',
      '-3.000000:0',
    ]);
  });

  it('has equal scores by index, and NaN last', () => {
    const scores = Float32Array.of(Number.NaN, 1, 1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    expect(textsOf(ask('FP32', [5], scores, { count: 3 }))).toEqual(['inf:4', '1.000000:1', '1.000000:2']);
  });

  it('refuses what holds no scores, and answers that would take too long to write', () => {
    const bytes = toBytesData(['a', 'b']);
    expect(() => ask('BYTES', [2], bytes)).toThrow(
      `${WHERE}: expected an output of numbers, got 'y' of BYTES`,
    );
    expect(() => ask('BOOL', [2], Uint8Array.of(0, 1))).toThrow("'y' of BOOL");
    expect(() => ask('FP32', [400, 500], new Float32Array(200_000), { hasRows: true, count: 300 })).toThrow(
      `${WHERE}: expected at most 100000 classes in an answer, got 300 for each of 400 rows`,
    );
  });
});

describe('sixDecimals', () => {
  it.each([
    [0, '0.000000'],
    [-0, '-0.000000'],
    [0.1, '0.100000'],
    [-1e-9, '-0.000000'],
    [Math.fround(0.97), '0.970000'],
    [16777216, '16777216.000000'],
    [1 / 128, '0.007812'],
    [3 / 128, '0.023438'],
    [-5 / 128, '-0.039062'],
    [1 / 256, '0.003906'],
    [1000 + 1 / 128, '1000.007812'],
    [1e21, '1000000000000000000000.000000'],
    [Math.fround(3.4028235e38), '340282346638528859811704183484516925440.000000'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ])('writes %d as C does', (value, text) => {
    expect(sixDecimals(value)).toBe(text);
  });
});
