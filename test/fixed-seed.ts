import fc from 'fast-check';

/** Mutation testing compares runs with each other, so that its generated inputs must be the same in each. */
fc.configureGlobal({ seed: 20_260_101 });
