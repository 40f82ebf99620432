/** The client's reading and writing of ModelInfer's messages against the generated code's. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTensor } from '../../../test/support/any-tensor.ts';
import { decodeModelInferResponse } from '../../base/oip/decode-protobuf-response.ts';
import { encodeModelInferRequest } from '../../base/oip/encode-protobuf.ts';
import { toStrings } from '../../base/tensor/bytes.ts';
import { type BytesData, isBytesData } from '../../base/tensor/tensor.ts';
import { ModelInferRequestSchema, ModelInferResponseSchema } from './generated/inference/infer_pb.ts';

describe('a ModelInferRequest of the client', () => {
  it('says to the generated code what it was made of', () => {
    const tensors = fc.uniqueArray(
      anyTensor({ text: true }).filter(({ name }) => name !== ''),
      { maxLength: 3, selector: ({ name }) => name },
    );
    fc.assert(
      fc.property(tensors, fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }), (inputs, outputs) => {
        const call = {
          model: 'm',
          version: '2',
          id: 'i',
          parameters: { text: 'a', yes: true, count: -3, share: 0.5 },
          inputs,
          outputs,
        };
        const { chunks } = encodeModelInferRequest(call, 0);
        const read = fromBinary(ModelInferRequestSchema, Buffer.concat(chunks));
        expect(read).toMatchObject({ modelName: 'm', modelVersion: '2', id: 'i' });
        expect(read.parameters).toMatchObject({
          text: { parameterChoice: { case: 'stringParam', value: 'a' } },
          yes: { parameterChoice: { case: 'boolParam', value: true } },
          count: { parameterChoice: { case: 'int64Param', value: -3n } },
          share: { parameterChoice: { case: 'doubleParam', value: 0.5 } },
        });
        expect(read.outputs.map(({ name }) => name)).toEqual(outputs);
        expect(read.inputs.map(({ name, datatype, shape }) => [name, datatype, shape.map(Number)])).toEqual(
          inputs.map(({ name, datatype, shape }) => [name, datatype, [...shape]]),
        );
        for (const [index, { data }] of inputs.entries()) {
          const raw = Buffer.from(read.rawInputContents[index]!);
          expect(raw.equals(isBytesData(data) ? prefixed(data) : bytesOf(data))).toBe(true);
        }
      }),
    );
  });
});

describe('a ModelInferResponse for the client', () => {
  it('may have typed contents, as other servers send', () => {
    const bytes = toBinary(
      ModelInferResponseSchema,
      create(ModelInferResponseSchema, {
        modelName: 'm',
        modelVersion: '1',
        id: 'i',
        parameters: { n: { parameterChoice: { case: 'int64Param', value: 7n } } },
        outputs: [
          { name: 'a', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [0.5, -2] } },
          { name: 'b', datatype: 'BYTES', shape: [2n], contents: { bytesContents: ['x', 'é'].map(utf8) } },
          { name: 'c', datatype: 'INT64', shape: [], contents: { int64Contents: [-(2n ** 63n)] } },
        ],
      }),
    );
    const { outputs, ...rest } = decodeModelInferResponse({ bytes });
    expect(rest).toEqual({ model: 'm', version: '1', id: 'i', parameters: { n: 7 } });
    expect(outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['a', 'FP32', [1, 2]],
      ['b', 'BYTES', [2]],
      ['c', 'INT64', []],
    ]);
    expect(outputs[0]!.data).toEqual(Float32Array.of(0.5, -2));
    expect(toStrings(outputs[1]!.data as BytesData)).toEqual(['x', 'é']);
    expect(outputs[2]!.data).toEqual(BigInt64Array.of(-(2n ** 63n)));
  });

  it.each([
    ['two raw contents for one output', { outputs: [output('y')], rawOutputContents: [four(), four()] }],
    ['raw contents of the wrong length', { outputs: [output('y')], rawOutputContents: [four().subarray(1)] }],
    ['an output twice', { outputs: [output('y'), output('y')], rawOutputContents: [four(), four()] }],
    ['a datatype of another world', { outputs: [{ ...output('y'), datatype: 'FLOAT' }] }],
  ])('is refused with %s', (_, fields) => {
    const bytes = toBinary(ModelInferResponseSchema, create(ModelInferResponseSchema, fields));
    expect(() => decodeModelInferResponse({ bytes })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});

function output(name: string) {
  return { name, datatype: 'FP32', shape: [1n] };
}

function four(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(4);
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Elements of BYTES as raw contents have them. */
function prefixed(data: BytesData): Buffer {
  return Buffer.concat(
    toStrings(data).flatMap((one) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(one));
      return [length, Buffer.from(one)];
    }),
  );
}
