import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the output with what was left out and why, and one line that people and machines can rely on:
 * `N passed, N failed, N skipped`. It is written when the process exits, because other reporters write late.
 */
export function createSummaryReporter(): Reporter {
  return {
    onTestRunEnd(modules, errors, reason) {
      const { counts, reasons } = count(modules);
      counts.failed += errors.length;
      if (counts.failed === 0 && reason === 'failed') counts.failed = 1;
      process.once('exit', () => {
        for (const [note, times] of reasons) console.log(`skipped ${times}: ${note}`);
        console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      });
    },
  };
}

interface Tally {
  readonly counts: { passed: number; failed: number; skipped: number };
  /** How many tests were skipped for each reason that was given. */
  readonly reasons: ReadonlyMap<string, number>;
}

function count(modules: readonly TestModule[]): Tally {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const reasons = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const result = test.result();
      counts[result.state === 'pending' ? 'skipped' : result.state] += 1;
      if (result.state === 'skipped' && result.note !== undefined) {
        reasons.set(result.note, (reasons.get(result.note) ?? 0) + 1);
      }
    }
    // A file or suite that could not even be collected has no tests to count.
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
  }
  return { counts, reasons };
}
