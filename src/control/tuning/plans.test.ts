import { describe, expect, it } from 'vitest';
import { type PlanChoices, planByRule, plansToTry, planText } from './plans.ts';

const machine = { cores: 4, memoryBytes: 1e10, instanceBytes: 1e8 };
const tried = (choices: Partial<PlanChoices>) =>
  plansToTry({ ...machine, host: 'thread', ...choices }).map(planText);

describe('plansToTry', () => {
  it('divides the cores in all ways that make sense', () => {
    expect(tried({})).toEqual([
      ...['thread, 1 x 1', 'thread, 2 x 1', 'thread, 4 x 1'],
      ...['thread, 1 x 2', 'thread, 2 x 2', 'thread, 1 x 4'],
    ]);
    expect(tried({ cores: 1 })).toEqual(['thread, 1 x 1']);
  });

  it('tries a model of the main thread on threads, too', () => {
    expect(tried({ host: 'inline', cores: 2 })).toEqual([
      ...['inline, 1', 'thread, 1 x 1', 'thread, 2 x 1', 'thread, 1 x 2'],
    ]);
  });

  it('leaves what was chosen, and what the memory does not allow', () => {
    expect(tried({ instances: 2 })).toEqual(['thread, 2 x 1', 'thread, 2 x 2']);
    expect(tried({ intraOpThreads: 2 })).toEqual(['thread, 1 x 2', 'thread, 2 x 2']);
    expect(tried({ instanceBytes: 4e9 })).toEqual(['thread, 1 x 1', 'thread, 1 x 2', 'thread, 1 x 4']);
    expect(tried({ host: 'process', instances: 1, intraOpThreads: 1 })).toEqual(['process, 1 x 1']);
    // One copy of the weights, however many runs at once.
    expect(tried({ host: 'native', cores: 2, instanceBytes: 2 ** 50 })).toContain('native, 2 x 1');
  });
});

describe('planByRule', () => {
  const byRule = (choices: Partial<PlanChoices>, configured?: Parameters<typeof planByRule>[1]) =>
    planText(planByRule({ ...machine, host: 'thread', ...choices }, configured));

  it('is a session for each core, or what the model says of itself', () => {
    expect(byRule({})).toBe('thread, 4 x 1');
    expect(byRule({ instanceBytes: 4e9 })).toBe('thread, 1 x 4');
    expect(byRule({}, { instances: 2 })).toBe('thread, 2 x 2');
    expect(byRule({}, { instances: 9, intraOpThreads: 2 })).toBe('thread, 2 x 2');
    expect(byRule({ host: 'inline' }, { instances: 3 })).toBe('inline, 1');
  });

  it('is what was chosen before that', () => {
    expect(byRule({ instances: 1 }, { instances: 2, intraOpThreads: 2 })).toBe('thread, 1 x 2');
    expect(byRule({ host: 'process', intraOpThreads: 4 })).toBe('process, 1 x 4');
  });
});
