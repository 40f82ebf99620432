import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith, MODELS } from '../../test/require.ts';
import { runNimify } from '../../test/support/nimify.ts';

interface Output {
  readonly data: readonly number[];
}

async function scoresOf(...args: readonly string[]): Promise<readonly number[]> {
  const { exitCode, stdout, stderr } = await runNimify('predict', ...args, '--json');
  expect(exitCode, stderr).toBe(0);
  const { outputs } = JSON.parse(stdout) as { outputs: readonly [Output] };
  return outputs[0].data;
}

function best(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

describeWith(['data'], 'nimify predict with pictures', () => {
  const squeezenet = join(MODELS, 'squeezenet_fp16');
  const mnist = join(MODELS, 'mnist');
  const expectedOf = (folder: string): unknown =>
    JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));

  it('finds the classes that the model is known to find', async () => {
    const { top3 } = expectedOf(squeezenet) as { top3: Record<string, { class: number; p: number }[]> };
    for (const [picture, [top]] of Object.entries(top3)) {
      const flags = ['--color', 'bgr', '--fit', 'crop', '--scale', '1'];
      const scores = await scoresOf(
        join(squeezenet, 'model.onnx'),
        `@${join(squeezenet, picture)}`,
        ...flags,
      );
      expect(best(scores)).toBe(top!.class);
      // Resizing differs between libraries, and so do the scores a little.
      expect(Math.abs(Math.max(...scores) - top!.p)).toBeLessThan(0.03);
    }
  });

  it('reads digits to the same logits', async () => {
    const { images } = expectedOf(mnist) as { images: Record<string, { argmax: number; logits: number[] }> };
    for (const [picture, { argmax, logits }] of Object.entries(images)) {
      const scores = await scoresOf(join(mnist, 'model.onnx'), `@${join(mnist, picture)}`, '--scale', '1');
      expect(best(scores)).toBe(argmax);
      const errors = logits.map((logit, at) => Math.abs(logit - scores[at]!));
      expect(Math.max(...errors)).toBeLessThan(0.01);
    }
  });

  it('prepares pictures for the demo model as it was trained', async () => {
    const folder = join(import.meta.dirname, '../../examples/demo/digits');
    const pictures = [0, 3, 5, 7].map((digit) => `@${join(mnist, `digit_${digit}.jpg`)}`);
    const { stdout, stderr } = await runNimify('predict', folder, ...pictures, '--outputs', 'label');
    expect(stdout).toMatch(/^label .*\n {2}0 {2}3 {2}5 {2}7\n$/);
    expect(stderr).toContain('(preprocessor_config.json)');
  });

  it('takes the preparation from a file beside the model, and the names of the classes too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nimify-images-'));
    try {
      for (const name of ['model.onnx', 'labels.json'])
        copyFileSync(join(squeezenet, name), join(folder, name));
      const config = {
        do_resize: true,
        size: { shortest_edge: 224 },
        do_center_crop: true,
        crop_size: { height: 224, width: 224 },
        do_rescale: false,
        do_normalize: false,
        do_flip_channel_order: true,
      };
      writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
      const picture = `@${join(squeezenet, 'wolves.jpg')}`;
      const { stdout, stderr } = await runNimify(
        'predict',
        join(folder, 'model.onnx'),
        picture,
        '--top',
        '1',
      );
      expect(stdout).toMatch(
        /^softmaxout_1 {2}FP16 \[1,1000,1,1\]\n {2}0\.9\d+ {2}white wolf, .* \(270\)\n$/,
      );
      expect(stderr).toContain('color bgr (preprocessor_config.json)');
      expect(stderr).not.toContain('assumed');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
