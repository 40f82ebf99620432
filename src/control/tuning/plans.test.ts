import { describe, expect, it } from 'vitest';
import { type PlanChoices, plansToTry, planText } from './plans.ts';

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
  });
});
