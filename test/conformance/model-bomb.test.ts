/** A file of 9 KB whose constants unfold to close to a gigabyte when loaded; alone, for the sake of memory. */
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { expectTensor } from '../support/expect-tensor.ts';
import { ENCODINGS, infer } from '../support/oip-client.ts';
import { modelOf, serve } from '../support/serve.ts';
import { tensor } from '../support/tensor.ts';
import { readTensorProto } from '../support/tensor-proto.ts';

describeWith(['data'], 'a model bomb', () => {
  const server = serve([modelOf('light_vgg19')]);

  describe.each(ENCODINGS)('over %s', (encoding) => {
    it('light_vgg19 answers as its output says', async () => {
      const count = 3 * 224 * 224;
      const values = Array.from({ length: count }, (_, i) => Math.fround(i / count));
      const input = tensor('data_0', 'FP32', [1, 3, 224, 224], values);
      const { outputs } = await infer(server.url, 'light_vgg19', [input], encoding);
      expectTensor(outputs[0], readTensorProto(join(MODELS, 'light_vgg19/output_0.pb')));
    });
  });
});
