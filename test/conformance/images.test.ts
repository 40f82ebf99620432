/** Image models, from real image files to the right class. */
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { expectTensor } from '../support/expect-tensor.ts';
import { ENCODINGS, infer } from '../support/oip-client.ts';
import { argmax, readJson } from '../support/read-data.ts';
import { modelOf, serve } from '../support/serve.ts';
import { tensor } from '../support/tensor.ts';
import { readTensorProto } from '../support/tensor-proto.ts';

const FILES = { mnist: 'mnist/model.onnx', mnist_ort: 'mnist/model.ort' };

describeWith(['data'], 'images', () => {
  const server = serve([
    ...Object.entries(FILES).map(([name, path]) => ({ name, path })),
    ...['squeezenet_fp16', 'light_squeezenet', 'light_resnet50'].map(modelOf),
  ]);

  describe.each(ENCODINGS)('over %s', (encoding) => {
    it.each(Object.keys(FILES))('%s reads the digit of each picture', async (model) => {
      const { images } = readJson<DigitAnswers>('mnist/expected.json');
      for (const [file, { argmax: digit, logits }] of Object.entries(images)) {
        const pixels = await sharp(join(MODELS, 'mnist', file))
          .greyscale()
          .raw()
          .toBuffer();
        const input = tensor('Input3', 'FP32', [1, 1, 28, 28], [...pixels]);
        const { outputs } = await infer(server.url, model, [input], encoding);
        expect(argmax(outputs[0]?.values ?? []), file).toBe(digit);
        // Two JPEG decoders may round a pixel differently; the logits lie in the thousands.
        const wanted = tensor('Plus214_Output_0', 'FP32', [1, 10], logits);
        expectTensor(outputs[0], wanted, { absolute: 60, relative: 0 });
      }
    });

    it.each(Object.keys(FILES))('%s reads all twenty scanned digits', async (model) => {
      const { digits, label } = readJson<{ digits: number[][]; label: number[] }>('mnist/digits.json');
      const read: number[] = [];
      for (const pixels of digits) {
        const input = tensor('Input3', 'FP32', [1, 1, 28, 28], pixels.flat(3) as number[]);
        const { outputs } = await infer(server.url, model, [input], encoding);
        read.push(argmax(outputs[0]?.values ?? []));
      }
      expect(read).toEqual(label);
    });

    it('squeezenet_fp16 knows a goldfish and a wolf', async () => {
      const { top3 } = readJson<SqueezenetAnswers>('squeezenet_fp16/expected.json');
      for (const [file, [best]] of Object.entries(top3)) {
        const values = await toBgrPlanes(join(MODELS, 'squeezenet_fp16', file), 224);
        const input = tensor('data_0', 'FP16', [1, 3, 224, 224], values);
        const { outputs } = await infer(server.url, 'squeezenet_fp16', [input], encoding);
        const scores = outputs[0]?.values as number[];
        expect(outputs[0]?.shape).toEqual([1, 1000, 1, 1]);
        expect(argmax(scores), file).toBe(best?.class);
        // Resizing filters differ between libraries.
        expect(Math.abs((scores[argmax(scores)] ?? 0) - (best?.p ?? 0)), file).toBeLessThan(0.05);
      }
    });

    it.each(['light_squeezenet', 'light_resnet50'])('%s computes its whole network', async (model) => {
      const wanted = readTensorProto(join(MODELS, model, 'output_0.pb'));
      const name = model === 'light_resnet50' ? 'gpu_0/data_0' : 'data_0';
      const { outputs } = await infer(server.url, model, [ramp(name)], encoding);
      expectTensor(outputs[0], wanted);
    });
  });
});

interface DigitAnswers {
  readonly images: Readonly<Record<string, { readonly argmax: number; readonly logits: readonly number[] }>>;
}

interface SqueezenetAnswers {
  readonly top3: Readonly<Record<string, readonly { readonly class: number; readonly p: number }[]>>;
}

/** The feed that the ONNX project's light models are checked with: 0, 1/n, 2/n, ... */
function ramp(name: string) {
  const count = 3 * 224 * 224;
  const values = Array.from({ length: count }, (_, i) => Math.fround(i / count));
  return tensor(name, 'FP32', [1, 3, 224, 224], values);
}

/** The centre square at `size` x `size`, one plane a colour, blue first, 0..255. */
async function toBgrPlanes(file: string, size: number): Promise<number[]> {
  const rgb = await sharp(file).resize(size, size, { fit: 'cover' }).removeAlpha().raw().toBuffer();
  return [2, 1, 0].flatMap((channel) =>
    Array.from({ length: size * size }, (_, i) => rgb[3 * i + channel] as number),
  );
}
