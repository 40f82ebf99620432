/** Models over rows of numbers, mixed columns, tokens and text: each answers as its expected.json says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { expectTensor } from '../support/expect-tensor.ts';
import { ENCODINGS, infer, type Refusal } from '../support/oip-client.ts';
import { argmax, readJson } from '../support/read-data.ts';
import { modelOf, serve } from '../support/serve.ts';
import { tensor } from '../support/tensor.ts';

const FOLDERS = [
  'own_iris_rf',
  'own_iris_rf_zipmap',
  'logreg_iris_zipmap',
  'own_churn_mixed',
  'own_langid',
  'dummy_transformer',
  'magika',
];

describeWith(['data'], 'tables and text', () => {
  const server = serve(FOLDERS.map(modelOf));

  describe.each(ENCODINGS)('over %s', (encoding) => {
    it('own_iris_rf', async () => {
      const { rows, label, probabilities } = readJson<IrisAnswers>('own_iris_rf/expected.json');
      const { outputs } = await infer(server.url, 'own_iris_rf', [irisInput(rows)], encoding);
      expectTensor(outputs[0], tensor('label', 'INT64', [rows.length], label.map(BigInt)));
      expectTensor(outputs[1], tensor('probabilities', 'FP32', [rows.length, 3], probabilities.flat()));
    });

    it('own_iris_rf_zipmap: the label, without the sequence of maps', async () => {
      const { rows, label } = readJson<IrisAnswers>('own_iris_rf/expected.json');
      const { outputs } = await infer(server.url, 'own_iris_rf_zipmap', [irisInput(rows)], encoding);
      expect(outputs).toEqual([tensor('label', 'INT64', [rows.length], label.map(BigInt))]);
    });

    it('logreg_iris_zipmap: the label, without the sequence of maps', async () => {
      const expected = readJson<{ float_input: number[][]; label: number[] }>(
        'logreg_iris_zipmap/expected.json',
      );
      const input = tensor('float_input', 'FP32', [1, 4], expected.float_input.flat());
      const { outputs } = await infer(server.url, 'logreg_iris_zipmap', [input], encoding);
      expect(outputs).toEqual([tensor('label', 'INT64', [1], expected.label.map(BigInt))]);
    });

    it('an output that is offered without is refused by name', async () => {
      const input = tensor('float_input', 'FP32', [1, 4], [5.1, 3.5, 1.4, 0.2]);
      const refusal = await infer(server.url, 'logreg_iris_zipmap', [input], encoding, {
        outputs: ['probabilities'],
      }).then(
        () => undefined,
        (error: Refusal) => error,
      );
      expect(refusal?.status).toBe(400);
      expect(refusal?.message).toContain('probabilities');
      expect(refusal?.message).toContain('label');
    });

    it('own_churn_mixed', async () => {
      const { inputs, label, scores } = readJson<ChurnAnswers>('own_churn_mixed/expected.json');
      const rows = label.length;
      const { outputs } = await infer(
        server.url,
        'own_churn_mixed',
        [
          tensor('plan', 'BYTES', [rows, 1], inputs.plan),
          tensor('region', 'BYTES', [rows, 1], inputs.region),
          tensor('usage_hours', 'FP32', [rows, 1], inputs.usage_hours),
          tensor('tenure_months', 'INT64', [rows, 1], inputs.tenure_months.map(BigInt)),
        ],
        encoding,
      );
      expectTensor(outputs[0], tensor('label', 'BYTES', [rows], label));
      expectTensor(outputs[1], tensor('scores', 'FP32', [rows, 2], scores.flat()));
    });

    it('own_langid', async () => {
      const { text, label, top_score } = readJson<LanguageAnswers>('own_langid/expected.json');
      const input = tensor('text', 'BYTES', [text.length], text);
      const { outputs } = await infer(server.url, 'own_langid', [input], encoding);
      expectTensor(outputs[0], tensor('label', 'BYTES', [text.length], label));
      const scores = outputs[1]?.values as number[];
      const best = text.map((_, row) => Math.max(...scores.slice(row * 25, row * 25 + 25)));
      expectTensor(
        tensor('top', 'FP32', [text.length], best),
        tensor('top', 'FP32', [text.length], top_score),
        {
          absolute: 2e-5,
          relative: 0,
        },
      );
    });

    it('dummy_transformer', async () => {
      const { inputs, output_0 } = readJson<TransformerAnswers>('dummy_transformer/expected.json');
      const names = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
      const tensors = names.map((name) => tensor(name, 'INT64', [2, 3], inputs[name].flat().map(BigInt)));
      const { outputs } = await infer(server.url, 'dummy_transformer', tensors, encoding);
      const values = output_0.flat(2) as number[];
      // The expected values were rounded to five decimals.
      expectTensor(outputs[0], tensor('output_0', 'FP32', [2, 3, 16], values), {
        absolute: 6e-6,
        relative: 1e-6,
      });
    });

    it('magika tells all 13 sample files apart in one batch', async () => {
      const { files } = readJson<MagikaAnswers>('magika/expected.json');
      const { target_labels_space: labels } = readJson<{ target_labels_space: string[] }>(
        'magika/config.min.json',
      );
      const names = Object.keys(files);
      const values = names.flatMap((name) =>
        magikaFeatures(readFileSync(join(MODELS, 'magika/samples', name))),
      );
      const input = tensor('bytes', 'INT32', [names.length, 2048], values);
      const { outputs } = await infer(server.url, 'magika', [input], encoding);
      const scores = outputs[0]?.values as number[];
      expect(names).toHaveLength(13);
      for (const [row, name] of names.entries()) {
        const own = scores.slice(row * labels.length, (row + 1) * labels.length);
        const best = argmax(own);
        expect(labels[best], name).toBe(files[name]?.label);
        expect(own[best], name).toBeCloseTo(files[name]?.score ?? Number.NaN, 3);
      }
    });
  });
});

interface IrisAnswers {
  readonly rows: readonly number[][];
  readonly label: readonly number[];
  readonly probabilities: readonly number[][];
}

interface ChurnAnswers {
  readonly inputs: {
    readonly plan: readonly string[];
    readonly region: readonly string[];
    readonly usage_hours: readonly number[];
    readonly tenure_months: readonly number[];
  };
  readonly label: readonly string[];
  readonly scores: readonly number[][];
}

interface LanguageAnswers {
  readonly text: readonly string[];
  readonly label: readonly string[];
  readonly top_score: readonly number[];
}

interface TransformerAnswers {
  readonly inputs: Readonly<Record<'input_ids' | 'attention_mask' | 'token_type_ids', readonly number[][]>>;
  readonly output_0: readonly number[][][];
}

interface MagikaAnswers {
  readonly files: Readonly<Record<string, { readonly label: string; readonly score: number }>>;
}

function irisInput(rows: readonly number[][]) {
  return tensor('X', 'FP32', [rows.length, 4], rows.flat());
}

/**
 * The first and last 1024 bytes of a file without the white space at its ends (looked for in its first and last
 * 4096 bytes), padded with 256: to the right of the beginning, to the left of the end.
 */
function magikaFeatures(file: Buffer): number[] {
  const isSpace = (byte: number | undefined): boolean =>
    byte !== undefined && (byte === 32 || (byte >= 9 && byte <= 13));
  const head = [...file.subarray(0, 4096)];
  while (isSpace(head[0])) head.shift();
  const tail = [...file.subarray(-4096)];
  while (isSpace(tail.at(-1))) tail.pop();
  const first = head.slice(0, 1024);
  const last = tail.slice(-1024);
  const padding = (count: number): number[] => Array<number>(count).fill(256);
  return [...first, ...padding(1024 - first.length), ...padding(1024 - last.length), ...last];
}
