import { fileURLToPath } from 'node:url';

// Tests run in a copy of the checkout, from where the default path of the data folder leads nowhere.
process.env.NIMIFY_DATA ??= fileURLToPath(new URL('../shared/data', import.meta.url));

/** What scripts/mutation.mjs runs for each file. */
const config = {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: true },
  coverageAnalysis: 'perTest',
  // Tables of constants: each change of one would run every test, and tells about data, not about logic.
  ignoreStatic: true,
  // TypeScript 7 has no JavaScript API that Stryker could rewrite the file with, and type errors do not matter here.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  ignorePatterns: ['dist', 'coverage', 'bench', '.venv', 'reports'],
  // A file of types only has nothing to change and no test that reaches it.
  allowEmpty: true,
  // Long enough that a busy machine is not taken for an endless loop.
  timeoutMS: 10_000,
  concurrency: 1,
  reporters: ['json', 'html'],
  logLevel: 'error',
};

export default config;
