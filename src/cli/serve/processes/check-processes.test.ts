import { describe, expect, it } from 'vitest';
import { checkProcesses } from './check-processes.ts';

const config = (processes: number) => ({ server: { processes } }) as Parameters<typeof checkProcesses>[0];

describe('checkProcesses', () => {
  it('lets several through on Linux, and one everywhere', () => {
    expect(() => checkProcesses(config(4), 'linux')).not.toThrow();
    expect(() => checkProcesses(config(1), 'darwin')).not.toThrow();
  });

  it('refuses several elsewhere', () => {
    expect(() => checkProcesses(config(2), 'darwin')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^server\.processes: expected 1 on this system \(darwin\).*got 2;/),
      }),
    );
  });
});
