/** Models whose right answer is plain arithmetic: those of Triton's client examples. */
import { describe, expect, it } from 'vitest';
import { describeWith } from '../require.ts';
import { ENCODINGS, infer } from '../support/oip-client.ts';
import { modelOf, serve } from '../support/serve.ts';
import { tensor, type Value } from '../support/tensor.ts';

const ROWS = 3;
const A = Array.from({ length: ROWS * 16 }, (_, i) => 3 * i - 70);
const B = Array.from({ length: ROWS * 16 }, (_, i) => (i % 7) - 3);
const SUM = A.map((a, i) => a + (B[i] as number));
const DIFFERENCE = A.map((a, i) => a - (B[i] as number));

const MODELS_BY_VALUE = [
  { model: 'triton_simple', datatype: 'INT32', as: (value: number): Value => value },
  { model: 'triton_simple_int8', datatype: 'INT8', as: (value: number): Value => (value << 24) >> 24 },
  { model: 'triton_simple_string', datatype: 'BYTES', as: (value: number): Value => String(value) },
];

describeWith(['data'], 'arithmetic', () => {
  const server = serve([...MODELS_BY_VALUE.map(({ model }) => modelOf(model)), modelOf('triton_identity')]);

  describe.each(ENCODINGS)('over %s', (encoding) => {
    it.each(MODELS_BY_VALUE)('$model adds and subtracts', async ({ model, datatype, as }) => {
      const inputs = [
        tensor('INPUT0', datatype, [ROWS, 16], A.map(as)),
        tensor('INPUT1', datatype, [ROWS, 16], B.map(as)),
      ];
      const { outputs } = await infer(server.url, model, inputs, encoding);
      expect(outputs).toEqual([
        tensor('OUTPUT0', datatype, [ROWS, 16], SUM.map(as)),
        tensor('OUTPUT1', datatype, [ROWS, 16], DIFFERENCE.map(as)),
      ]);
    });

    it('triton_identity gives strings back', async () => {
      const values = ['hello', '', 'wörld', 'x'.repeat(10_000)];
      const { outputs } = await infer(
        server.url,
        'triton_identity',
        [tensor('INPUT0', 'BYTES', [2, 2], values)],
        encoding,
      );
      expect(outputs).toEqual([tensor('OUTPUT0', 'BYTES', [2, 2], values)]);
    });
  });
});
