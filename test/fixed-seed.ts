import fc from 'fast-check';

/**
 * Mutation testing compares runs with each other, so that generated inputs must be the same in each. It runs the
 * same laws thousands of times, so that each gets little time; most of what breaks them does so at once. Nobody reads
 * the counterexample, so that none is made smaller.
 */
fc.configureGlobal({ seed: 20_260_101, interruptAfterTimeLimit: 200, endOnFailure: true });
