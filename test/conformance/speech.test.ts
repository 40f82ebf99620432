/** A model whose state the client carries from call to call: 312 calls, each answer depending on all before. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { ENCODINGS, infer } from '../support/oip-client.ts';
import { readJson } from '../support/read-data.ts';
import { modelOf, serve } from '../support/serve.ts';
import { type PlainTensor, tensor } from '../support/tensor.ts';

const FRAME = 512;
/** Samples of the frame before that each frame begins with. */
const CONTEXT = 64;

describeWith(['data'], 'speech', () => {
  const server = serve([modelOf('silero_vad')]);

  describe.each(ENCODINGS)('over %s', (encoding) => {
    it('silero_vad follows ten seconds of speech', async () => {
      const { speech_probability: wanted } = readJson<{ speech_probability: number[] }>(
        'silero_vad/expected.json',
      );
      const samples = readWav(readFileSync(join(MODELS, 'silero_vad/speech_10s_16k.wav')));
      const padded = [...Array<number>(CONTEXT).fill(0), ...samples];
      let state: PlainTensor = tensor('state', 'FP32', [2, 1, 128], Array<number>(256).fill(0));
      const apart: string[] = [];
      for (const [i, probability] of wanted.entries()) {
        const frame = padded.slice(i * FRAME, (i + 1) * FRAME + CONTEXT);
        const { outputs } = await infer(
          server.url,
          'silero_vad',
          [tensor('input', 'FP32', [1, FRAME + CONTEXT], frame), state, tensor('sr', 'INT64', [], [16_000n])],
          encoding,
        );
        const got = Number(outputs[0]?.values[0]);
        if (!(Math.abs(got - probability) < 2e-5)) apart.push(`frame ${i}: ${got}, wanted ${probability}`);
        state = { ...(outputs[1] as PlainTensor), name: 'state' };
      }
      expect(apart).toEqual([]);
      expect(wanted).toHaveLength(312);
    });
  });
});

/** Samples of a 16-bit mono PCM file, in [-1, 1). Walks the RIFF chunks to `data`. */
function readWav(file: Buffer): number[] {
  let at = 12;
  while (file.toString('latin1', at, at + 4) !== 'data') at += 8 + file.readUInt32LE(at + 4);
  const count = file.readUInt32LE(at + 4) / 2;
  return Array.from({ length: count }, (_, i) => file.readInt16LE(at + 8 + 2 * i) / 32_768);
}
