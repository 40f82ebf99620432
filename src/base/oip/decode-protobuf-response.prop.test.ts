import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTensor } from '../../../test/support/any-tensor.ts';
import { isBytesData, type Tensor } from '../tensor/tensor.ts';
import { decodeModelInferRequest } from './decode-protobuf.ts';
import { decodeModelInferResponse } from './decode-protobuf-response.ts';
import { encodeModelInferRequest, encodeModelInferResponse } from './encode-protobuf.ts';
import { createInferMessageSink, RAW_OUTPUT_CONTENTS } from './infer-message.ts';

const HEADROOM = 5;
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const parameters = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  fc.oneof(text, fc.boolean(), fc.maxSafeInteger(), fc.double({ noNaN: true, noInteger: true })),
  { maxKeys: 3 },
);
const tensors = fc.uniqueArray(
  anyTensor({ text: false }).filter(({ name }) => name !== ''),
  { maxLength: 3, selector: ({ name }) => name },
);

/** Of numbers the bits count: NaNs too are to come back as they were. */
function comparable(all: readonly Tensor[]): unknown {
  return all.map(({ data, ...rest }) => ({
    ...rest,
    data: isBytesData(data)
      ? { bytes: Buffer.from(data.bytes).toString('hex'), offsets: [...data.offsets] }
      : [data.constructor.name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')],
  }));
}

const whole = (chunks: readonly Uint8Array[]) =>
  new Uint8Array(Buffer.concat(chunks).subarray(HEADROOM).slice());

describe('ModelInfer, from the client', () => {
  it('is read by the server as it was written', () => {
    fc.assert(
      fc.property(
        text,
        text,
        text,
        parameters,
        tensors,
        fc.uniqueArray(
          text.filter((name) => name !== ''),
          { maxLength: 3 },
        ),
        (model, version, id, given, inputs, outputs) => {
          const call = { model, version, id, parameters: given, inputs, outputs };
          const { chunks, byteLength } = encodeModelInferRequest(call, HEADROOM);
          const bytes = whole(chunks);
          expect(bytes.length).toBe(byteLength);
          const decoded = decodeModelInferRequest({ bytes });
          expect(decoded).toMatchObject({ model, version, id, parameters: given });
          expect(decoded.outputs?.map(({ name }) => name) ?? []).toEqual(outputs);
          expect(comparable(decoded.inputs)).toEqual(comparable(inputs));
        },
      ),
    );
  });

  it('brings an answer back, whole or in pieces', () => {
    fc.assert(
      fc.property(
        text,
        text,
        text,
        parameters,
        tensors,
        fc.array(fc.nat(200), { maxLength: 6 }),
        (model, version, id, given, outputs, lengths) => {
          const answer = { model, version, id, parameters: given, outputs };
          const bytes = whole(encodeModelInferResponse(answer, HEADROOM).chunks);
          const sink = createInferMessageSink(bytes.length, undefined, RAW_OUTPUT_CONTENTS);
          let at = 0;
          for (const length of [...lengths, bytes.length]) {
            sink.push(bytes.subarray(at, at + length));
            at = Math.min(bytes.length, at + length);
          }
          for (const decoded of [
            decodeModelInferResponse({ bytes }),
            decodeModelInferResponse(sink.take()),
          ]) {
            expect({ ...decoded, outputs: comparable(decoded.outputs) }).toEqual({
              ...answer,
              outputs: comparable(outputs),
            });
          }
        },
      ),
    );
  });
});
