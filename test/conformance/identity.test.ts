/** Identity models: what goes in must come out, bit for bit: every datatype, both encodings, both hosts. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { ENCODINGS, infer, type Refusal } from '../support/oip-client.ts';
import { serve } from '../support/serve.ts';
import { fromBytes, tensor, toBytes, type Value } from '../support/tensor.ts';

/** By the datatype's name in the model's name: OIP's datatype, and six values at its edges. */
const EDGES: Readonly<Record<string, { readonly datatype: string; readonly values: readonly Value[] }>> = {
  bool: { datatype: 'BOOL', values: [true, false, false, true, true, false] },
  uint8: { datatype: 'UINT8', values: [0, 1, 127, 128, 254, 255] },
  uint16: { datatype: 'UINT16', values: [0, 1, 32767, 32768, 65534, 65535] },
  uint32: { datatype: 'UINT32', values: [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1] },
  uint64: { datatype: 'UINT64', values: [0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n] },
  int8: { datatype: 'INT8', values: [-128, -127, -1, 0, 1, 127] },
  int16: { datatype: 'INT16', values: [-32768, -1, 0, 1, 255, 32767] },
  int32: { datatype: 'INT32', values: [-(2 ** 31), -1, 0, 1, 65536, 2 ** 31 - 1] },
  int64: {
    datatype: 'INT64',
    values: [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  },
  // Largest, smallest normal and subnormal, and what needs rounding on the way to text and back.
  float16: { datatype: 'FP16', values: [65504, -65504, 2 ** -14, 2 ** -24, -0, 0.0999755859375] },
  float32: {
    datatype: 'FP32',
    values: [
      3.4028234663852886e38,
      -1.401298464324817e-45,
      1.1754943508222875e-38,
      -0,
      Math.fround(0.1),
      16777217 - 1,
    ],
  },
  float64: {
    datatype: 'FP64',
    values: [Number.MAX_VALUE, Number.MIN_VALUE, -2.2250738585072014e-308, -0, 0.1 + 0.2, 5e-7],
  },
  object: {
    datatype: 'BYTES',
    values: [
      '',
      'plain',
      'ümlaut, 日本語, \u{1F600}',
      '"quoted" \\ / \n\t\u0001',
      ' spaces  ',
      'e\u0301 is not \u00e9',
    ],
  },
};

const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 0, -1];

for (const host of ['inline', 'thread'] as const)
  describeWith(['data'], `identity models, ${host}`, () => {
    const names = readdirSync(join(MODELS, 'qa_identity'));
    const server = serve(
      names.map((name) => ({ name, path: `qa_identity/${name}/model.onnx` })),
      { host, instances: 1 },
    );

    it('are 30', () => {
      expect(names).toHaveLength(30);
    });

    describe.each(ENCODINGS)('over %s', (encoding) => {
      /** Sends the values as INPUT0 and expects them back as OUTPUT0. */
      async function roundTrip(
        model: string,
        datatype: string,
        shape: readonly number[],
        values: readonly Value[],
      ) {
        const { outputs } = await infer(
          server.url,
          model,
          [tensor('INPUT0', datatype, shape, values)],
          encoding,
        );
        expect(outputs).toEqual([tensor('OUTPUT0', datatype, shape, values)]);
      }

      describe.each(Object.entries(EDGES))('%s', (suffix, { datatype, values }) => {
        const [batched, flat] = [`onnx_zero_1_${suffix}`, `onnx_nobatch_zero_1_${suffix}`];

        it('comes back from a model with a batch axis', () => roundTrip(batched, datatype, [2, 3], values));
        it('comes back from a model without one', () => roundTrip(flat, datatype, [6], values));
        it('comes back one at a time', async () => {
          for (const value of values) await roundTrip(batched, datatype, [1, 1], [value]);
        });
        it('comes back without elements: rows of none', () => roundTrip(batched, datatype, [3, 0], []));
        it('comes back without elements: no rows', () => roundTrip(batched, datatype, [0, 4], []));
        it('comes back without elements: neither', () => roundTrip(flat, datatype, [0], []));
        it('comes back by the thousand', () => {
          const many = scramble(datatype, values, 3000);
          return roundTrip(batched, datatype, [100, 30], many);
        });
      });

      it.each(['float16', 'float32', 'float64'])('%s carries what is not finite', async (suffix) => {
        const datatype = `FP${suffix.slice('float'.length)}`;
        await roundTrip(`onnx_zero_1_${suffix}`, datatype, [2, 3], NOT_FINITE);
      });

      it('a scalar comes back', () =>
        roundTrip('onnx_scalar_1dim_float32', 'FP32', [], [Math.fround(-12.5e-3)]));

      it('simple_identity comes back', () => roundTrip('simple_identity', 'BYTES', [1, 2], ['a', '']));

      it('simple_identity_int64 comes back', () =>
        roundTrip('simple_identity_int64', 'INT64', [2, 1], [1n, -(2n ** 62n)]));

      it('three inputs of unlike sizes keep their places', async () => {
        const inputs = [
          tensor('INPUT0', 'FP32', [2, 1], [1, 2]),
          tensor('INPUT1', 'FP32', [2, 1], [3, 4]),
          tensor('INPUT2', 'FP32', [2, 1], [5, 6]),
        ];
        const { outputs } = await infer(server.url, 'onnx_zero_3_float32', inputs, encoding, { id: 'three' });
        expect(outputs).toEqual(inputs.map((input) => ({ ...input, name: input.name.replace('IN', 'OUT') })));
      });

      it('refuses a string with a zero byte, which the engine would cut short', async () => {
        const input = tensor('INPUT0', 'BYTES', [1, 2], ['whole', 'cut\u0000short']);
        const refusal = await infer(server.url, 'simple_identity', [input], encoding).catch(
          (error: unknown) => error,
        );
        expect(refusal).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
        expect((refusal as Refusal).message).toMatch(/element 1 .*zero byte/);
      });

      it('answers only what was asked for, in that order, and the id', async () => {
        const inputs = [0, 1, 2].map((i) => tensor(`INPUT${i}`, 'FP32', [1, 1], [i]));
        const options = { id: 'some of them', outputs: ['OUTPUT2', 'OUTPUT0'] };
        const answer = await infer(server.url, 'onnx_zero_3_float32', inputs, encoding, options);
        expect(answer.id).toBe('some of them');
        expect(answer.outputs.map(({ name, values }) => [name, values])).toEqual([
          ['OUTPUT2', [2]],
          ['OUTPUT0', [0]],
        ]);
      });
    });

    it('answers with the bits of a NaN that carries a payload', async () => {
      const bits = Buffer.from([0x01, 0x00, 0xc0, 0x7f]);
      const head = Buffer.from(
        JSON.stringify({
          inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 1], parameters: { binary_data_size: 4 } }],
          parameters: { binary_data_output: true },
        }),
      );
      const response = await fetch(`${server.url}/v2/models/onnx_zero_1_float32/infer`, {
        method: 'POST',
        headers: { 'inference-header-content-length': String(head.length) },
        body: Buffer.concat([head, bits]),
      });
      expect(response.status).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).subarray(-4)).toEqual(bits);
    });
  });

/** Values of the datatype from a fixed pseudo-random byte stream, the edges among them. */
function scramble(datatype: string, edges: readonly Value[], count: number): Value[] {
  if (datatype === 'BOOL' || datatype === 'BYTES') {
    return Array.from({ length: count }, (_, i) => edges[(i * i + 3 * i) % edges.length] as Value);
  }
  const width = toBytes({ datatype, values: edges.slice(0, 1) }).length;
  const bytes = Buffer.alloc(count * width);
  let state = 12345;
  for (let i = 0; i < bytes.length; i += 1) {
    // The constants of Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  // What is not finite has a test of its own: JSON cannot carry the bits of a NaN.
  return fromBytes(datatype, bytes).map((value, i) =>
    typeof value === 'number' && !Number.isFinite(value) ? (edges[i % edges.length] as Value) : value,
  );
}
