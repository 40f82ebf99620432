/** Our own reading and writing of ModelInfer's messages against the generated code's, on messages of every shape. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, field, name, rawOf, request, shape, text } from '../../../test/support/any-model-infer.ts';
import { bits, comparable, fromRaw, meaningOf } from '../../../test/support/model-infer-reference.ts';
import { varint } from '../../../test/support/protobuf.ts';
import { decodeModelInferRequest } from '../../base/oip/decode-protobuf.ts';
import { encodeModelInferResponse, encodeModelStreamInferResponse } from '../../base/oip/encode-protobuf.ts';
import { createInferMessageSink } from '../../base/oip/infer-message.ts';
import { DATATYPES } from '../../base/tensor/datatype.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from './generated/inference/infer_pb.ts';

describe('ModelInferRequest', () => {
  it('is read as the generated code reads it', () => {
    fc.assert(
      fc.property(request, (bytes) => {
        const theirs = meaningOf(fromBinary(ModelInferRequestSchema, bytes));
        expect(theirs).toBeDefined();
        expect(comparable(decodeModelInferRequest({ bytes }))).toEqual(comparable(theirs));
      }),
      { numRuns: 300 },
    );
  });

  it('is read the same whole and in pieces', () => {
    fc.assert(
      fc.property(request, fc.array(fc.nat(200), { maxLength: 8 }), (bytes, lengths) => {
        const sink = createInferMessageSink(bytes.length);
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          sink.push(bytes.subarray(at, at + length));
          at = Math.min(bytes.length, at + length);
        }
        expect(comparable(decodeModelInferRequest(sink.take()))).toEqual(
          comparable(decodeModelInferRequest({ bytes })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is refused, never misread, where bytes of it changed', () => {
    fc.assert(
      fc.property(request, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 }), (bytes, changes) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, byte] of changes) if (bytes.length > 0) changed[at % bytes.length] = byte;
        const read = (from: () => Parameters<typeof decodeModelInferRequest>[0]) => {
          try {
            return comparable(decodeModelInferRequest(from()));
          } catch (refused) {
            expect(refused).toMatchObject({ name: 'NimifyError' });
            return 'refused';
          }
        };
        const sink = createInferMessageSink(changed.length);
        sink.push(changed);
        expect(read(() => sink.take())).toEqual(read(() => ({ bytes: changed })));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused where a length has more bits than any message, whole or in pieces', () => {
    const overlong = field(7, 2, varint(2n ** 56n + 4n), Buffer.alloc(4));
    const sink = createInferMessageSink(overlong.length);
    sink.push(overlong);
    expect(() => sink.take()).toThrow('a whole ModelInferRequest');
    expect(() => decodeModelInferRequest({ bytes: overlong })).toThrow(
      'raw_input_contents: expected a whole',
    );
  });
});

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(name, fc.constantFrom(...DATATYPES), fc.oneof(shape, fc.constant([40, 40])))
  .chain(([named, datatype, sizes]) =>
    rawOf(datatype, countOf(sizes)).map((raw) => ({
      name: named,
      datatype,
      shape: sizes,
      data: fromRaw(datatype, raw)!,
    })),
  );

const response = fc.record({
  model: text,
  version: text,
  id: fc.oneof(text, fc.constant('x'.repeat(300))),
  outputs: fc.array(tensor, { maxLength: 3 }),
  parameters: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(text, fc.boolean(), fc.maxSafeInteger(), fc.double({ noNaN: true })),
    { maxKeys: 3 },
  ),
});

describe('ModelInferResponse', () => {
  it('is written so that the generated code reads it back', () => {
    fc.assert(
      fc.property(response, fc.nat(8), (answer, headroom) => {
        const { chunks, byteLength } = encodeModelInferResponse(answer, headroom);
        const bytes = Buffer.concat(chunks).subarray(headroom);
        expect(bytes.length).toBe(byteLength);
        const read = fromBinary(ModelInferResponseSchema, bytes);
        expect([read.modelName, read.modelVersion, read.id]).toEqual([
          answer.model,
          answer.version,
          answer.id,
        ]);
        const values = Object.entries(read.parameters).map(([key, { parameterChoice }]) => {
          const { value } = parameterChoice;
          return [key, typeof value === 'bigint' ? Number(value) : value];
        });
        expect(Object.fromEntries(values)).toEqual(
          Object.fromEntries(
            // Integers have no -0.
            Object.entries(answer.parameters).map(([key, value]) => [key, value === 0 ? 0 : value]),
          ),
        );
        expect(read.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
          answer.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(BigInt) })),
        );
        expect(
          read.rawOutputContents.map((raw, index) => bits(fromRaw(answer.outputs[index]!.datatype, raw)!)),
        ).toEqual(answer.outputs.map(({ data }) => bits(data)));
      }),
      { numRuns: 200 },
    );
  });

  it('is the same within a stream', () => {
    fc.assert(
      fc.property(response, (answer) => {
        const alone = Uint8Array.from(Buffer.concat(encodeModelInferResponse(answer, 0).chunks));
        const chunks = encodeModelStreamInferResponse(answer, 5).chunks;
        const streamed = Uint8Array.from(Buffer.concat(chunks)).subarray(5);
        const read = fromBinary(ModelStreamInferResponseSchema, streamed);
        expect(read.errorMessage).toBe('');
        const again = toBinary(
          ModelInferResponseSchema,
          read.inferResponse ?? create(ModelInferResponseSchema),
        );
        expect(fromBinary(ModelInferResponseSchema, again)).toEqual(
          fromBinary(ModelInferResponseSchema, alone),
        );
      }),
      { numRuns: 100 },
    );
  });
});
