import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTensor } from '../../../test/support/any-tensor.ts';
import { NimifyError } from '../errors/nimify-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decodeInferRequest } from './decode.ts';
import { decodeRawRequest } from './decode-raw.ts';
import { decodeInferResponse } from './decode-response.ts';
import { encodeInferResponse } from './encode.ts';
import { encodeInferRequest } from './encode-request.ts';

const parameters = fc
  .dictionary(
    fc
      .string({ unit: 'grapheme' })
      .filter((key) => !key.startsWith('binary_data') && !key.startsWith('shared_memory')),
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ),
    { maxKeys: 4 },
  )
  .filter((record) =>
    Object.values(record).every(
      (value) => !Object.is(value, -0) && (!Number.isInteger(value) || Number.isSafeInteger(value)),
    ),
  );

const tensors = (options: { text: boolean }) =>
  fc.uniqueArray(anyTensor(options), { maxLength: 4, selector: (tensor) => tensor.name });

/** The same tensor with every bit in a form that compares: NaN payloads and views included. */
function bits({ data, ...rest }: Tensor) {
  if ('offsets' in data) return { ...rest, bytes: [...data.bytes], offsets: [...data.offsets] };
  return {
    ...rest,
    type: data.constructor.name,
    bytes: [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  };
}

/** JSON knows one NaN, and no payload. */
function hasNan({ datatype, data }: Tensor): boolean {
  if ('offsets' in data) return false;
  if (datatype === 'FP16') return (data as Uint16Array).some((value) => (value & 0x7fff) > 0x7c00);
  if (datatype === 'BF16') return (data as Uint16Array).some((value) => (value & 0x7fff) > 0x7f80);
  return (data as Float64Array).some((value) => Number.isNaN(value));
}

describe('requests', () => {
  it('come back bit for bit over binary', () => {
    fc.assert(
      fc.property(
        tensors({ text: false }),
        parameters,
        fc.string({ unit: 'grapheme' }),
        fc.nat(7),
        (inputs, record, id, offset) => {
          const { chunks, headerLength } = encodeInferRequest(
            { id, parameters: record, inputs },
            { binary: true },
          );
          const body = Buffer.concat([Buffer.alloc(offset), ...chunks]).subarray(offset);
          const decoded = decodeInferRequest(body, headerLength);
          expect(decoded.inputs.map(bits)).toEqual(inputs.map(bits));
          expect(decoded.parameters).toEqual(record);
          expect(decoded.id).toBe(id);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('come back bit for bit over JSON, but for the payload of NaN', () => {
    fc.assert(
      fc.property(tensors({ text: true }), parameters, (inputs, record) => {
        const { chunks, headerLength } = encodeInferRequest(
          { parameters: record, inputs },
          { binary: false },
        );
        const decoded = decodeInferRequest(Buffer.concat(chunks), headerLength);
        const comparable = (all: readonly Tensor[]) =>
          all.filter((_, index) => !hasNan(inputs[index]!)).map(bits);
        expect(comparable(decoded.inputs)).toEqual(comparable(inputs));
        expect(decoded.parameters).toEqual(record);
      }),
      { numRuns: 500 },
    );
  });
});

describe('responses', () => {
  it('come back bit for bit, each output as it was asked for', () => {
    fc.assert(
      fc.property(tensors({ text: true }), parameters, fc.nat(15), (outputs, record, mask) => {
        const binary = new Set(
          outputs.filter((_, index) => (mask >> index) & 1).map((tensor) => tensor.name),
        );
        const response = { model: 'm', version: '1', id: 'r', outputs, parameters: record };
        const { chunks, headerLength, byteLength } = encodeInferResponse(response, (name) =>
          binary.has(name),
        );
        const body = Buffer.concat(chunks);
        expect(body.length).toBe(byteLength);
        expect(headerLength !== undefined).toBe(binary.size > 0);
        const decoded = decodeInferResponse(body, headerLength);
        const comparable = (all: readonly Tensor[]) =>
          all.filter(({ name }, index) => binary.has(name) || !hasNan(outputs[index]!)).map(bits);
        expect(comparable(decoded.outputs)).toEqual(comparable(outputs));
        expect({ ...decoded, outputs: [] }).toEqual({
          model: 'm',
          version: '1',
          id: 'r',
          parameters: record,
          outputs: [],
        });
      }),
      { numRuns: 500 },
    );
  });
});

/** Runs the decoder on hostile bytes: it answers, or refuses with one of two codes, and does nothing else. */
function answersOrRefuses(decode: () => unknown): void {
  try {
    decode();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(NimifyError);
    expect(['INVALID_INPUT', 'UNSUPPORTED']).toContain((thrown as NimifyError).code);
  }
}

const mutation = fc.record({
  kind: fc.constantFrom('set' as const, 'insert' as const, 'remove' as const, 'cut' as const),
  at: fc.nat(),
  byte: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(...Buffer.from('{}[],:"\\-+.eE0123456789tfnNI \n')),
  ),
  length: fc.integer({ min: 1, max: 20 }),
});

function mutate(
  body: Uint8Array,
  { kind, at, byte, length }: { kind: string; at: number; byte: number; length: number },
) {
  const index = at % (body.length + 1);
  const before = body.subarray(0, index);
  if (kind === 'cut') return before;
  if (kind === 'remove') return Buffer.concat([before, body.subarray(index + length)]);
  return Buffer.concat([before, Uint8Array.of(byte), body.subarray(kind === 'set' ? index + 1 : index)]);
}

describe('mutated bodies', () => {
  it('are answered or refused, nothing else', () => {
    fc.assert(
      fc.property(
        tensors({ text: true }),
        fc.boolean(),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -3, max: 3 }),
        (inputs, binary, mutations, shift) => {
          const { chunks, headerLength } = encodeInferRequest(
            { id: 'x', inputs, outputs: ['o'] },
            { binary },
          );
          const body = mutations.reduce<Uint8Array>(mutate, Buffer.concat(chunks));
          const length = headerLength === undefined ? undefined : headerLength + shift;
          answersOrRefuses(() => decodeInferRequest(body, length));
          answersOrRefuses(() => decodeInferResponse(body, length));
          for (const { name, datatype, shape } of inputs)
            answersOrRefuses(() => decodeRawRequest(body, { name, datatype, shape }));
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('of random bytes are refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.option(fc.nat(60), { nil: undefined }),
        (body, headerLength) => {
          answersOrRefuses(() => decodeInferRequest(body, headerLength));
        },
      ),
    );
  });
});
