import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { createSummaryReporter } from './test/summary-reporter.ts';

/** Third-party models and expected answers; see test/require.ts for what happens without them. */
const dataFolder = fileURLToPath(
  new URL(process.env.NIMIFY_DATA ?? '../shared/data', new URL('./', import.meta.url)),
);

const cacheFolder = fileURLToPath(new URL('node_modules/.cache/', import.meta.url));

const shared = {
  // A worker thread that aborts must take down a child process, not the test run.
  pool: 'forks' as const,
  // What models' starts measure is kept in the checkout, and not in the home of whoever runs the tests.
  env: { NIMIFY_DATA: dataFolder, XDG_CACHE_HOME: cacheFolder },
  // Engines and the command line run from dist/.
  globalSetup: ['test/build-dist.ts'],
  // No test is to fail because the machine is busy: the default is a second.
  expect: { poll: { timeout: 15_000 } },
};

export default defineConfig({
  test: {
    reporters: ['default', createSummaryReporter()],
    // One more than the two cores that it is to be quick on: many tests wait for processes and timers.
    maxWorkers: 3,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Tests and what only tests use; docs/testing.md says what that means for the numbers.
      exclude: [
        'src/**/*.test.ts',
        'src/**/fake-*.ts',
        'src/**/raw-client.ts',
        'src/**/reader-alone.ts',
        'src/**/session-alone.ts',
        'src/**/frame-client.ts',
        'src/**/served-fakes.ts',
      ],
      thresholds: { lines: 90, branches: 90 },
      reporter: ['text-summary', 'html'],
    },
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
