import { describe, expect, it } from 'vitest';
import { checkLimits } from './check-limits.ts';

const MIB = 2 ** 20;

describe('checkLimits', () => {
  it('says what one process may hold', () => {
    expect(checkLimits({ processes: 1, maxMemoryBytes: 500 * MIB }, { cores: 4 })).toMatchObject([
      { status: 'ok', about: 'processes' },
      {
        status: 'ok',
        about: 'ceiling',
        says: 'requests are refused above 500 MiB of resident memory (server.maxMemoryBytes)',
      },
    ]);
  });

  it('says how several share the machine, and warns of more than there are cores', () => {
    const of = (processes: number) => checkLimits({ processes, maxMemoryBytes: MIB }, { cores: 4 });
    expect(of(2)).toMatchObject([
      { status: 'ok', says: '2, models being planned for 2 cores in each' },
      { says: expect.stringContaining('1 MiB of resident memory in each of them') },
    ]);
    expect(of(8)[0]).toMatchObject({ status: 'warn', says: expect.stringContaining('of 4 in all') });
  });

  it('divides what is left to nimify', () => {
    const ceiling = (processes: number) => {
      const [, { says }] = checkLimits({ processes, maxMemoryBytes: 'auto' }) as [unknown, { says: string }];
      return Number(/above (\d+) MiB/.exec(says)?.[1]);
    };
    expect(Math.abs(ceiling(1) - 4 * ceiling(4))).toBeLessThanOrEqual(4);
  });
});
