import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExpectedSignature, expectSignature } from '../../../test/fixtures/expect-signature.ts';
import signatures from '../../../test/fixtures/signatures.json' with { type: 'json' };
import { describeWith, MODELS } from '../../../test/require.ts';
import { hashModelFile, readModelFile, type ValueInfo } from './model-file.ts';

describeWith(['data'], 'our own models', () => {
  it.each(Object.entries(signatures.models))(
    '%s reads as the onnx package reads it',
    async (path, expected) => {
      const file = await readModelFile(join(MODELS, path));
      expectSignature(file, expected as ExpectedSignature);
      expect(file.problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    },
  );
});

describeWith(['data'], 'models as their README describes them', () => {
  const rows = readFileSync(join(MODELS, 'README.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => /^`[0-9a-f]{64}`$/.test(cells[7] ?? ''))
    .map(([, folder = '', , , signature = '', , bytes = '', hash = '']) => ({
      folder,
      signature,
      bytes,
      hash,
    }));

  it('are all in the table', () => {
    expect(rows.length).toBeGreaterThanOrEqual(17);
  });

  it.each(rows)('$folder', async ({ folder, signature, bytes, hash }) => {
    const file = await readModelFile(join(MODELS, folder, 'model.onnx'));
    expect(file.sizeBytes).toBe(Number(bytes));
    expect(await hashModelFile(file)).toBe(hash.slice(1, -1));
    const [before = '', after = before] = signature.split('->');
    expect(typesOf(file.inputs.filter((input) => !input.optional))).toEqual(typesIn(before));
    // The table leaves the shape out where it is the input's.
    expect(typesOf(file.outputs)).toEqual(typesIn(after.includes('[') ? after : before));
    expect(file.problems.filter((problem) => problem.severity === 'error')).toEqual([]);
  });

  it('has the same inputs and outputs in the ORT file', async () => {
    const [onnx, ort] = await Promise.all(
      ['onnx', 'ort'].map((extension) => readModelFile(join(MODELS, 'mnist', `model.${extension}`))),
    );
    expect(ort?.inputs.filter((input) => !input.optional)).toEqual(
      onnx?.inputs.filter((input) => !input.optional),
    );
    expect(ort?.outputs).toEqual(onnx?.outputs);
    expect(ort?.problems).toEqual([]);
  });
});

describeWith(['data'], 'conformance cases', () => {
  const cases = readFileSync(join(MODELS, 'conformance', 'cases.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => [...line.matchAll(/"([^"]*)"|([^,]+)|(?<=,|^)(?=,)/g)].map((m) => m[1] ?? m[2] ?? ''))
    .map(([name = '', why = '', inputs = '', outputs = '']) => ({ name, why, inputs, outputs }));

  it('are all there', () => {
    expect(cases.length).toBe(65);
    expect(readdirSync(join(MODELS, 'conformance')).length).toBe(66);
  });

  it.each(cases)('$name ($why)', async ({ name, why, inputs, outputs }) => {
    const file = await readModelFile(join(MODELS, 'conformance', name.replace('/', '__'), 'model.onnx'));
    // The table cuts long lists off.
    expect(listed(file.inputs).startsWith(inputs)).toBe(true);
    expect(listed(file.outputs).startsWith(outputs)).toBe(true);
    const errors = file.problems.filter((problem) => problem.severity === 'error');
    expect(errors.length > 0).toBe(why.startsWith('NEG'));
  });
});

/** `label i64[1]` and the like as the README writes them, each kind once. */
function typesIn(text: string): string[] {
  const names: Readonly<Record<string, string>> = {
    ...{ f16: 'float16', f32: 'float32', i32: 'int32', i64: 'int64' },
    ...{ string: 'string', int8: 'int8' },
  };
  const found = new Set<string>();
  const plain = text.replaceAll('*', '').replace('seq(map(i64,f32))', () => {
    found.add('seq(map(int64,float32))');
    return '';
  });
  for (const [, type = '', dims = ''] of plain.matchAll(
    /\b(f16|f32|i32|i64|string|int8) ?(?:scalar )?\[([^\]]*)\]/g,
  )) {
    const shape =
      dims === '' ? [] : dims.split(',').map((dim) => (Number.isInteger(Number(dim)) ? Number(dim) : -1));
    found.add(`${names[type]}[${shape}]`);
  }
  return [...found].sort();
}

function typesOf(values: readonly ValueInfo[]): string[] {
  const found = values.map(({ kind, type, shape }) => (kind === 'tensor' ? `${type}[${shape}]` : type));
  return [...new Set(found)].sort();
}

/** As cases.csv writes it: `x:float[3, '?']; y:sequence float`. */
function listed(values: readonly ValueInfo[]): string {
  return values
    .filter((value) => !value.optional)
    .map(listedValue)
    .join('; ');
}

function listedValue({ name, kind, type, shape, dimensionNames }: ValueInfo): string {
  const element = (text: string) => text.replace('float32', 'float').replace('float64', 'double');
  if (kind === 'sequence') return `${name}:sequence ${element(type.slice(4, -1))}`;
  if (kind === 'optional') return `${name}:optional(tensor) ${element(type.slice(9, -1))}`;
  const dims = shape?.map((dim, i) => (dim < 0 ? `'${dimensionNames[i] ?? '?'}'` : dim)) ?? [];
  return `${name}:${element(type)}[${dims.join(', ')}]`;
}

describe('the table of fixtures', () => {
  it('covers our own models', () => {
    expect(Object.keys(signatures.models).length).toBeGreaterThanOrEqual(34);
  });
});
