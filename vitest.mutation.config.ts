import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * A mutant is done with at the first test that fails. So those come first that likely fail, and soon: the mutated
 * file's own, then other examples, then other laws.
 */
class LikelyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const mutated = (this.ctx.config.related ?? []).map((path) => basename(path, '.ts'));
    const rank = ({ moduleId }: TestSpecification) => {
      const [tested] = basename(moduleId).split('.');
      if (mutated.includes(tested ?? '')) return 0;
      return moduleId.endsWith('.prop.test.ts') ? 2 : 1;
    };
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

/**
 * What `npm run mutation` runs against each mutant: the tests that stand beside the mutated code, and nothing
 * that is built first.
 */
export default defineConfig({
  test: {
    include: [
      'src/base/{tensor,onnx,oip}/**/*.test.ts',
      'src/policy/**/*.test.ts',
      // What generated code says of the same protobuf, which base may not import.
      'src/protocol/grpc/model-infer.prop.test.ts',
    ],
    // Damaged files only show that reading them ends well; that takes long and tells few mutants apart.
    exclude: ['src/base/onnx/model-file.prop.test.ts'],
    sequence: { sequencer: LikelyFirst },
    setupFiles: ['test/fixed-seed.ts'],
    // Long enough that a busy machine is not taken for a failure.
    testTimeout: 60_000,
  },
});
