import { defineConfig } from 'vitest/config';

/**
 * What `npm run mutation` runs against each mutant: the tests that stand beside the mutated code, and nothing
 * that is built first.
 */
export default defineConfig({
  test: {
    include: ['src/base/{tensor,onnx,oip}/**/*.test.ts', 'src/policy/**/*.test.ts'],
    // Damaged files only show that reading them ends well; that takes long and tells few mutants apart.
    exclude: ['src/base/onnx/model-file.prop.test.ts'],
    setupFiles: ['test/fixed-seed.ts'],
    // Long enough that a busy machine is not taken for a failure.
    testTimeout: 60_000,
  },
});
