import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTensor } from '../../../test/support/any-tensor.ts';
import { toStrings } from '../tensor/bytes.ts';
import type { Datatype } from '../tensor/datatype.ts';
import { bfloat16ToFloat, halfToFloat } from '../tensor/half.ts';
import type { Tensor, TensorData } from '../tensor/tensor.ts';
import { scanTensorValue } from './json-tensor.ts';
import { createJsonWriter } from './json-writer.ts';
import { writeTensorJson } from './tensor-json.ts';

const sink = createJsonWriter();

function written(tensor: Tensor, layout: 'flat' | 'nested'): Uint8Array {
  writeTensorJson(tensor, sink, layout);
  return sink.take();
}

/** The elements as JSON.parse would give them; bigints as their digits. */
function plain(datatype: Datatype, data: TensorData): unknown[] {
  if ('offsets' in data) return toStrings(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, String);
  return Array.from(data as Float32Array, (value) => {
    const number =
      datatype === 'FP16' ? halfToFloat(value) : datatype === 'BF16' ? bfloat16ToFloat(value) : value;
    if (datatype === 'BOOL') return number === 1;
    return Number.isFinite(number) ? number : String(number);
  });
}

describe('writeTensorJson and scanTensorValue', () => {
  it('give back every tensor, flat and nested', () => {
    fc.assert(
      fc.property(
        anyTensor({ text: true }),
        fc.constantFrom('flat' as const, 'nested' as const),
        (tensor, layout) => {
          const bytes = written(tensor, layout);
          const scanned = scanTensorValue(bytes, 0, tensor.datatype, 'x');
          expect(scanned.end).toBe(bytes.length);
          expect(plain(tensor.datatype, scanned.data)).toEqual(plain(tensor.datatype, tensor.data));
          const isEmpty = tensor.shape.includes(0);
          if (layout === 'nested' && !isEmpty) expect(scanned.shape).toEqual(tensor.shape);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('write what JSON.parse reads as the same values', () => {
    fc.assert(
      fc.property(anyTensor({ text: true }), (tensor) => {
        const { datatype, data } = tensor;
        const text = new TextDecoder().decode(written(tensor, 'flat'));
        const parsed = JSON.parse(text);
        const isLong = datatype === 'INT64' || datatype === 'UINT64';
        if (isLong) expect(text).toBe(`[${plain(datatype, data).join(',')}]`);
        else if (datatype === 'FP32' || datatype === 'FP16' || datatype === 'BF16') {
          const singles = parsed.map((value: unknown) =>
            typeof value === 'number' ? Math.fround(value) : value,
          );
          expect(singles).toEqual(plain(datatype, data));
        } else expect(parsed).toEqual(plain(datatype, data));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('scanTensorValue', () => {
  it('reads any nested array of numbers as JSON.parse does', () => {
    const rows = fc.integer({ min: 0, max: 4 }).chain((length) =>
      fc.array(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
          minLength: length,
          maxLength: length,
        }),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(0, 1), (value, indent) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value, undefined, indent));
        const { data, shape } = scanTensorValue(bytes, 0, 'FP64', 'x');
        expect(shape).toEqual([value.length, value[0]!.length]);
        expect(Array.from(data as Float64Array)).toEqual(JSON.parse(JSON.stringify(value)).flat());
      }),
    );
  });
});
