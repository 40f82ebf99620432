import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inspectFile, type RunReport } from './inspection.ts';
import { renderInspection } from './render-inspection.ts';

const style = {
  bold: (text: string) => text,
  dim: (text: string) => text,
  red: (text: string) => `RED ${text}`,
  yellow: (text: string) => text,
};

async function render(name: string, run?: RunReport): Promise<string> {
  const path = fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));
  return renderInspection(await inspectFile(path), run, style);
}

describe('renderInspection', () => {
  it('shows format, operators, inputs and outputs with their symbolic dimensions', async () => {
    const text = await render('dynamic_dims.onnx');
    expect(text).toMatch(/format +ONNX, .*IR version \d+/);
    expect(text).toMatch(/opset +ai\.onnx \d+/);
    expect(text).toMatch(/operators +\w+ \d/);
    expect(text).toMatch(/inputs\n {4}\S+ +FP32 {2}\[\w+/);
    expect(text).toMatch(/\nnimify serve .*dynamic_dims\.onnx\n$/);
  });

  it('has shapes below each other, whatever the datatypes', async () => {
    const text = await render('../../examples/demo/churn/model.onnx');
    expect(text).toMatch(/ {4}region +BYTES {2}\[N,1\]\n {4}usage_hours +FP32 {3}\[N,1\]\n/);
  });

  it('shows the range of values that index a table', async () => {
    expect(await render('embedding.onnx')).toMatch(/\(values 0 to \d+\)/);
  });

  it('tells inputs that have a default, and why they are left out', async () => {
    const text = await render('optional_input.onnx');
    expect(text).toMatch(/factor +FP32 {2}\[1\] {2}\(has a default, not served\)/);
    expect(text).toMatch(/left out\n {4}input factor: \S/);
  });

  it('says what is left out, and why', async () => {
    const text = await render('zipmap.onnx');
    expect(text).toContain('(not served)');
    expect(text).toMatch(/problems\n {4}warning outputs\[1\]: .*zipmap/i);
  });

  it('says that a model cannot be served, and what is missing', async () => {
    const text = await render('external_missing.onnx');
    expect(text).toMatch(/external data +.* \(missing\)/);
    expect(text).toContain('RED error');
    expect(text).toMatch(/RED This model cannot be served as it is\.\n$/);
  });

  it('shows what loading found', async () => {
    const text = await render('dynamic_quant.onnx', {
      loadMs: 12.4,
      notes: { host: 'inline: quick', batchAxis: 'none: rows influence each other' },
      batchAxis: 'none',
    });
    expect(text).toMatch(/batch axis\n {4}0: .* \(by the signature\)\n {4}none: rows influence each other\n/);
    expect(text).toMatch(/run\n {4}loaded and tested in 12 ms\n {4}host: inline: quick\n/);
  });

  it('says of fixed batches what would have them filled up, and what loading found of that', async () => {
    const fixed = '../engine/fixtures/fixed_batch.onnx';
    expect(await render(fixed)).toMatch(
      /batch axis\n {4}none: dimension 0 is fixed at 8 .*maxBatchSize .*; loading proves it, see --run\n/,
    );
    const run = { loadMs: 1, notes: { batchAxis: '0: runs are filled up' }, batchAxis: 0 } as const;
    expect(await render(fixed, run)).toMatch(
      /\n {4}0: runs are filled up \(with a batching.maxBatchSize\)\n/,
    );
  });
});
