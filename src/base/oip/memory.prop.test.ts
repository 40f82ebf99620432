import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTensor } from '../../../test/support/any-tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decodeInferRequest } from './decode.ts';
import { encodeInferResponse } from './encode.ts';
import { encodeInferRequest } from './encode-request.ts';
import { createRequestMemory } from './request-memory.ts';
import { createResponseMemory } from './response-memory.ts';

const tensors = (text: boolean) =>
  fc.uniqueArray(anyTensor({ text }), { maxLength: 3, selector: (tensor) => tensor.name });

/** What `run` gives or throws, in a form that compares: every bit, the order of members, the words of errors. */
function outcomeOf(run: () => unknown): string {
  try {
    return JSON.stringify(run(), (_key, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`;
      if (!ArrayBuffer.isView(value)) return value;
      const { buffer, byteOffset, byteLength } = value;
      return [value.constructor.name, Buffer.from(buffer, byteOffset, byteLength).toString('hex')];
    });
  } catch (thrown) {
    const { name, message, code, details } = thrown as Error & { code?: string; details?: unknown };
    return JSON.stringify({ name, message, code, details });
  }
}

interface Message {
  readonly body: Uint8Array;
  readonly headerLength: number | undefined;
}

function toMessage(inputs: readonly Tensor[], id: string, binary: boolean): Message {
  const { chunks, headerLength } = encodeInferRequest(
    { id, parameters: { binary_data_output: true }, inputs, outputs: ['o'] },
    { binary },
  );
  return { body: Buffer.concat(chunks), headerLength };
}

/** A request, and what a client may send after it: the same with other elements, cut, longer, or not the same. */
const conversations = fc
  .tuple(
    tensors(true),
    fc.array(
      fc.record({
        kind: fc.constantFrom(
          'again',
          'elements',
          'cut',
          'more',
          'header length',
          'other',
          'json',
          'head byte',
        ),
        at: fc.nat(),
        byte: fc.nat(255),
        other: tensors(true),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    fc.nat(7),
  )
  .map(([inputs, steps, offset]) => {
    const first = toMessage(inputs, 'a', true);
    const json = first.headerLength ?? 0;
    const all = steps.map(({ kind, at, byte, other }): Message => {
      const body = Uint8Array.from(first.body);
      if (kind === 'elements' && body.length > json) body[json + (at % (body.length - json))] = byte;
      if (kind === 'head byte' && json > 0) body[at % json] = byte;
      if (kind === 'cut') return { ...first, body: body.subarray(0, at % (body.length + 1)) };
      if (kind === 'more') return { ...first, body: Buffer.concat([body, Uint8Array.of(byte)]) };
      if (kind === 'header length') return { body, headerLength: json + (byte % 5) - 2 };
      if (kind === 'other') return toMessage(other, 'a', true);
      if (kind === 'json') return toMessage(inputs, 'a', false);
      return { ...first, body };
    });
    // Views may begin anywhere in their buffer.
    return [first, ...all].map(({ body, headerLength }) => ({
      body: Buffer.concat([Buffer.alloc(offset), body]).subarray(offset),
      headerLength,
    }));
  });

describe('createRequestMemory', () => {
  it('decodes every request as it would be decoded afresh', () => {
    fc.assert(
      fc.property(conversations, (messages) => {
        const memory = createRequestMemory();
        for (const { body, headerLength } of messages) {
          const afresh = outcomeOf(() => decodeInferRequest(body, headerLength));
          expect(outcomeOf(() => memory.decode(body, headerLength))).toBe(afresh);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('does not read the JSON part again that the last request had, and any other afresh', () => {
    const memory = createRequestMemory();
    const shapeOf = ({ body, headerLength }: Message) => memory.decode(body, headerLength).inputs[0]?.shape;
    const of = (data: Float32Array<ArrayBuffer>, id = '', binary = true) =>
      toMessage([{ name: 'x', datatype: 'FP32', shape: [data.length], data }], id, binary);
    const text = (word: string) => {
      const data = { bytes: Buffer.from(word), offsets: Uint32Array.of(0, 1, word.length) };
      return toMessage([{ name: 'x', datatype: 'BYTES', shape: [2], data }], '', true);
    };
    const ones = Float32Array.of(1, 1);
    const first = shapeOf(of(ones));
    expect(shapeOf(of(Float32Array.of(2, 3)))).toBe(first);
    // A request without binary data in between changes nothing.
    expect(shapeOf(of(ones, '', false))).not.toBe(first);
    expect(shapeOf(of(ones))).toBe(first);
    const other = shapeOf(of(ones, 'other'));
    expect(other).not.toBe(first);
    expect(shapeOf(of(ones, 'other'))).toBe(other);
    const texts = shapeOf(text('ab'));
    expect(shapeOf(text('cd'))).toBe(texts);
  });

  it('remembers JSON parts of up to 2048 bytes', () => {
    const headerOf = (idBytes: number) =>
      toMessage(
        [{ name: 'x', datatype: 'UINT8', shape: [1], data: Uint8Array.of(1) }],
        'i'.repeat(idBytes),
        true,
      );
    const around = headerOf(1).headerLength ?? 0;
    for (const [bytes, isKnown] of [
      [2048, true],
      [2049, false],
    ] as const) {
      const { body, headerLength } = headerOf(1 + bytes - around);
      expect(headerLength).toBe(bytes);
      const memory = createRequestMemory();
      const [one, two] = [1, 2].map(() => memory.decode(body, headerLength).inputs[0]?.shape);
      expect(one === two).toBe(isKnown);
    }
  });

  it('remembers nothing of JSON parts with elements in them', () => {
    const memory = createRequestMemory();
    const inputs = [
      { name: 'x', shape: [2], datatype: 'UINT8', data: [1, 2] },
      { name: 'y', shape: [1], datatype: 'UINT8', parameters: { binary_data_size: 1 } },
    ];
    const json = Buffer.from(JSON.stringify({ inputs }));
    const body = Buffer.concat([json, Uint8Array.of(3)]);
    for (let i = 0; i < 2; i += 1) {
      const decoded = memory.decode(body, json.length).inputs.map(({ data }) => data);
      expect(decoded).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
    }
  });

  it('gives views where the elements are aligned, the second time too', () => {
    const memory = createRequestMemory();
    const data = Float32Array.of(1, 2, 3);
    const { body, headerLength = 0 } = toMessage(
      [{ name: 'x', datatype: 'FP32', shape: [3], data }],
      '',
      true,
    );
    for (let i = 0; i < 2; i += 1) {
      const padding = (4 - (headerLength % 4)) % 4;
      const placed = new Uint8Array(new ArrayBuffer(padding + body.length), padding);
      placed.set(body);
      const { data: decoded } = memory.decode(placed, headerLength).inputs[0]!;
      expect((decoded as Float32Array).buffer).toBe(placed.buffer);
    }
  });
});

describe('createResponseMemory', () => {
  const answers = fc.record({
    model: fc.constantFrom('m', 'n'),
    version: fc.constantFrom('', '1'),
    id: fc.constantFrom('', '', 'i'),
    parameters: fc.constantFrom({}, {}, {}, { p: 1 }),
    mask: fc.constantFrom(7, 7, 7, 3, 0),
    at: fc.nat(),
  });

  it('encodes every answer as it would be encoded afresh', () => {
    fc.assert(
      fc.property(
        fc.array(tensors(true), { minLength: 1, maxLength: 2 }),
        fc.array(answers, { minLength: 2, maxLength: 8 }),
        (kinds, asked) => {
          const memory = createResponseMemory();
          for (const { mask, at, ...fields } of asked) {
            const outputs = kinds[at % kinds.length]!;
            const isBinary = (name: string) =>
              ((mask >> outputs.findIndex((output) => output.name === name)) & 1) === 1;
            const response = { ...fields, outputs };
            const afresh = outcomeOf(() => encodeInferResponse(response, isBinary));
            expect(outcomeOf(() => memory.encode(response, isBinary))).toBe(afresh);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('tells shapes apart that have the same number of elements, and texts of other lengths', () => {
    const memory = createResponseMemory();
    const of = (shape: readonly number[], datatype: 'FP32' | 'INT32' = 'FP32') => ({
      model: 'm',
      version: '1',
      id: '',
      parameters: {},
      outputs: [
        { name: 'y', datatype, shape, data: datatype === 'FP32' ? new Float32Array(6) : new Int32Array(6) },
      ],
    });
    const text = (word: string) => ({
      ...of([1]),
      outputs: [
        {
          name: 'y',
          datatype: 'BYTES' as const,
          shape: [1],
          data: { bytes: Buffer.from(word), offsets: Uint32Array.of(0, word.length) },
        },
      ],
    });
    for (const response of [
      of([2, 3]),
      of([3, 2]),
      of([6]),
      of([6], 'INT32'),
      text('a'),
      text('ab'),
      text('cd'),
    ]) {
      const afresh = outcomeOf(() => encodeInferResponse(response, () => true));
      expect(outcomeOf(() => memory.encode(response, () => true))).toBe(afresh);
    }
  });

  it('does not write the JSON part again that the last answer had, and any other afresh', () => {
    const memory = createResponseMemory();
    const y = { name: 'y', datatype: 'FP32' as const, shape: [1, 2], data: new Float32Array(2) };
    const z = { ...y, name: 'z' };
    const first = { model: 'm', version: '1', id: 'i', parameters: {}, outputs: [y, z] };
    const partOf = (response: typeof first, isBinary = true) =>
      memory.encode(response, () => isBinary).chunks[0];
    const part = partOf(first);
    expect(partOf({ ...first, outputs: [{ ...y, data: Float32Array.of(1, 2) }, z] })).toBe(part);
    // What cannot be remembered in between changes nothing.
    for (const between of [
      { ...first, parameters: { p: 1 } },
      { ...first, outputs: [] },
    ]) {
      expect(partOf(between)).not.toBe(part);
    }
    expect(partOf(first, false)).not.toBe(part);
    expect(partOf(first)).toBe(part);
    for (const other of [
      { ...first, model: 'n' },
      { ...first, version: '2' },
      { ...first, id: 'j' },
      { ...first, outputs: [y] },
      { ...first, outputs: [z, y] },
      { ...first, outputs: [{ ...y, shape: [2, 1] }, z] },
      { ...first, outputs: [{ ...y, shape: [2] }, z] },
    ]) {
      partOf(first);
      const afresh = partOf(other);
      expect(outcomeOf(() => afresh)).toBe(outcomeOf(() => encodeInferResponse(other, () => true).chunks[0]));
      expect(partOf(other)).toBe(afresh);
    }
  });

  it('does not follow a shape that its maker changes', () => {
    const memory = createResponseMemory();
    const shape = [1, 2];
    const answer = () => {
      const outputs = [{ name: 'y', datatype: 'UINT8' as const, shape, data: new Uint8Array(2) }];
      return memory.encode({ model: 'm', version: '', id: '', parameters: {}, outputs }, () => true);
    };
    answer();
    shape[0] = 2;
    shape[1] = 1;
    expect(Buffer.from(answer().chunks[0]!).toString()).toContain('"shape":[2,1]');
  });
});
