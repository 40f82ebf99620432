import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { createSummaryReporter } from './test/summary-reporter.ts';

/** Third-party models and expected answers; see test/require.ts for what happens without them. */
const dataFolder = fileURLToPath(
  new URL(process.env.NIMIFY_DATA ?? '../shared/data', new URL('./', import.meta.url)),
);

const shared = {
  // A worker thread that aborts must take down a child process, not the test run.
  pool: 'forks' as const,
  env: { NIMIFY_DATA: dataFolder },
  // Engines and the command line run from dist/.
  globalSetup: ['test/build-dist.ts'],
};

export default defineConfig({
  test: {
    reporters: ['default', createSummaryReporter()],
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/**/*.test.ts'] },
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'behaviour',
          include: ['test/*/**/*.test.ts', 'examples/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
