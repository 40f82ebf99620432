import { describe, expect, it } from 'vitest';
import { toBytesData } from '../tensor/bytes.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { decodeInferRequest } from './decode.ts';
import { type EncodedMessage, encodeInferResponse } from './encode.ts';
import { encodeInferRequest } from './encode-request.ts';
import { createJsonWriter } from './json-writer.ts';
import { writeTensorJson } from './tensor-json.ts';

const scores: Tensor = {
  name: 'scores',
  datatype: 'FP32',
  shape: [1, 3],
  data: Float32Array.of(0.1, Number.NaN, -2.5),
};
const label: Tensor = { name: 'label', datatype: 'BYTES', shape: [1], data: toBytesData(['größe "x"\n']) };
const response = { model: 'm "1"', version: '3', id: 'a', outputs: [scores, label], parameters: {} };

const textOf = (message: EncodedMessage) => Buffer.concat(message.chunks).toString();

describe('encodeInferResponse', () => {
  it('writes JSON that is valid even for NaN', () => {
    const message = encodeInferResponse(response, () => false);
    expect(textOf(message)).toBe(
      '{"model_name":"m \\"1\\"","model_version":"3","id":"a","outputs":[' +
        '{"name":"scores","datatype":"FP32","shape":[1,3],"data":[0.1,"NaN",-2.5]},' +
        '{"name":"label","datatype":"BYTES","shape":[1],"data":["größe \\"x\\"\\n"]}]}',
    );
    expect(message.headerLength).toBeUndefined();
    expect(message.byteLength).toBe(Buffer.concat(message.chunks).length);
  });

  it('appends binary outputs as views over their elements', () => {
    const message = encodeInferResponse(response, (name) => name === 'scores');
    const [json, section] = message.chunks as [Uint8Array, Uint8Array];
    expect(message.headerLength).toBe(json.byteLength);
    expect(section.buffer).toBe((scores.data as Float32Array).buffer);
    expect(JSON.parse(Buffer.from(json).toString()).outputs[0]).toEqual({
      name: 'scores',
      datatype: 'FP32',
      shape: [1, 3],
      parameters: { binary_data_size: 12 },
    });
  });

  it('appends only the part of a buffer that a view shows', () => {
    const view: Tensor = {
      name: 'v',
      datatype: 'INT16',
      shape: [1],
      data: Int16Array.of(1, 2, 3).subarray(1, 2),
    };
    const { chunks } = encodeInferResponse({ ...response, outputs: [view] }, () => true);
    expect([...chunks[1]!]).toEqual([2, 0]);
    const { bytes, offsets } = toBytesData(['skipped', 'ab', '']);
    const texts: Tensor = {
      name: 't',
      datatype: 'BYTES',
      shape: [2],
      data: { bytes, offsets: offsets.subarray(1) },
    };
    const encoded = encodeInferResponse({ ...response, outputs: [texts] }, () => true);
    expect([...encoded.chunks[1]!]).toEqual([2, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0]);
  });

  it('gives a header length for empty binary outputs as well', () => {
    const empty: Tensor = { name: 'e', datatype: 'FP32', shape: [0], data: new Float32Array(0) };
    const message = encodeInferResponse({ ...response, outputs: [empty] }, () => true);
    expect(message.chunks.length).toBe(1);
    expect(message.headerLength).toBe(message.byteLength);
  });

  it('leaves out what is empty, and writes parameters of every type', () => {
    const bare = { model: 'm', version: '', id: '', outputs: [], parameters: {} };
    expect(textOf(encodeInferResponse(bare, () => false))).toBe('{"model_name":"m","outputs":[]}');
    const full = { ...bare, parameters: { a: 1.5, b: 'x', c: false } };
    expect(textOf(encodeInferResponse(full, () => false))).toBe(
      '{"model_name":"m","parameters":{"a":1.5,"b":"x","c":false},"outputs":[]}',
    );
  });

  it('refuses bytes that are no text as JSON, and is none the worse for it', () => {
    const broken: Tensor = {
      name: 'raw',
      datatype: 'BYTES',
      shape: [2],
      data: { bytes: Uint8Array.of(0x61, 0xff), offsets: Uint32Array.of(0, 1, 2) },
    };
    const failing = { ...response, outputs: [broken] };
    expect(() => encodeInferResponse(failing, () => false)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('raw[1]: expected UTF-8 text'),
        details: { where: 'raw[1]', expected: 'UTF-8 text' },
      }),
    );
    expect(textOf(encodeInferResponse({ ...response, outputs: [] }, () => false))).toBe(
      '{"model_name":"m \\"1\\"","model_version":"3","id":"a","outputs":[]}',
    );
    expect(encodeInferResponse(failing, () => true).byteLength).toBeGreaterThan(0);
  });

  it('outgrows its buffer, and keeps answers apart', () => {
    const large: Tensor = {
      name: 'l',
      datatype: 'FP64',
      shape: [400_000],
      data: new Float64Array(400_000).fill(1 / 3),
    };
    const first = encodeInferResponse({ ...response, outputs: [large] }, () => false);
    const second = encodeInferResponse({ ...response, outputs: [scores] }, () => false);
    expect(JSON.parse(textOf(first)).outputs[0].data).toEqual([...(large.data as Float64Array)]);
    expect(JSON.parse(textOf(second)).outputs[0].name).toBe('scores');
  });
});

describe('writeTensorJson', () => {
  const sink = createJsonWriter();
  const json = (tensor: Omit<Tensor, 'name'>, layout: 'flat' | 'nested') => {
    writeTensorJson({ name: 'x', ...tensor }, sink, layout);
    return new TextDecoder().decode(sink.take());
  };

  it('nests by shape', () => {
    const data = Int32Array.of(1, 2, 3, 4, 5, 6);
    expect(json({ datatype: 'INT32', shape: [2, 3], data }, 'nested')).toBe('[[1,2,3],[4,5,6]]');
    expect(json({ datatype: 'INT32', shape: [2, 3], data }, 'flat')).toBe('[1,2,3,4,5,6]');
    expect(json({ datatype: 'INT32', shape: [3, 1, 2], data }, 'nested')).toBe('[[[1,2]],[[3,4]],[[5,6]]]');
    expect(json({ datatype: 'INT32', shape: [], data: Int32Array.of(7) }, 'nested')).toBe('7');
    expect(json({ datatype: 'INT32', shape: [2, 0], data: new Int32Array(0) }, 'nested')).toBe('[[],[]]');
    expect(json({ datatype: 'INT32', shape: [0, 2], data: new Int32Array(0) }, 'nested')).toBe('[]');
  });

  it('writes long tensors without a seam', () => {
    for (const count of [255, 256, 257, 512, 1000]) {
      const values = Array.from({ length: count }, (_, index) => index / 4);
      expect(
        JSON.parse(json({ datatype: 'FP32', shape: [count], data: Float32Array.from(values) }, 'flat')),
      ).toEqual(values);
    }
  });

  it('writes FP16 and BF16 as numbers', () => {
    expect(json({ datatype: 'FP16', shape: [3], data: Uint16Array.of(0x2e66, 0x3c00, 0x7c00) }, 'flat')).toBe(
      '[0.099975586,1,"Infinity"]',
    );
    expect(json({ datatype: 'BF16', shape: [2], data: Uint16Array.of(0x4049, 0xff80) }, 'flat')).toBe(
      '[3.140625,"-Infinity"]',
    );
  });

  it('writes FP64 with zeros below zero and what is not finite', () => {
    const data = Float64Array.of(0.1, -0, Number.NaN, 1e300);
    expect(json({ datatype: 'FP64', shape: [4], data }, 'flat')).toBe('[0.1,-0.0,"NaN",1e+300]');
  });
});

describe('encodeInferRequest', () => {
  it('asks for everything as binary data, output by output where they are named', () => {
    const message = encodeInferRequest({ id: 'i', inputs: [scores], outputs: ['a', 'b'] }, { binary: true });
    const decoded = decodeInferRequest(Buffer.concat(message.chunks), message.headerLength);
    expect(decoded).toMatchObject({
      id: 'i',
      binaryByDefault: true,
      inputs: [{ name: 'scores', shape: [1, 3] }],
    });
    expect(decoded.outputs!.map(({ name, binary }) => [name, binary])).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  it('is plain JSON without', () => {
    const { chunks, headerLength } = encodeInferRequest(
      { inputs: [label], parameters: { priority: 1 } },
      { binary: false },
    );
    expect(headerLength).toBeUndefined();
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({
      inputs: [{ name: 'label', datatype: 'BYTES', shape: [1], data: ['größe "x"\n'] }],
      parameters: { priority: 1 },
    });
  });
});
