import { afterEach, describe, expect, it } from 'vitest';
import { shareMachine, thisMachine } from './this-machine.ts';

afterEach(() => shareMachine(1));

describe('thisMachine', () => {
  it('is divided among the processes that share it, none of which goes without a core', () => {
    const whole = thisMachine();
    expect(whole.cores).toBeGreaterThanOrEqual(1);
    for (const processes of [2, 3, 64]) {
      shareMachine(processes);
      expect(thisMachine()).toEqual({
        cores: Math.max(1, Math.floor(whole.cores / processes)),
        memoryBytes: whole.memoryBytes / processes,
      });
    }
  });
});
