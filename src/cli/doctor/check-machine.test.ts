import { describe, expect, it } from 'vitest';
import {
  checkClock,
  checkCores,
  checkDisk,
  checkFileDescriptors,
  checkMemory,
  checkNode,
  checkThreads,
} from './check-machine.ts';
import { exitCodeOf, fail, ok, warn } from './finding.ts';

const NO_LIMITS = { cores: undefined, memoryBytes: undefined };
const MIB = 2 ** 20;

describe('what doctor says of a machine', () => {
  it('wants Node.js 20.19 or newer', () => {
    expect(checkNode('20.18.3')).toMatchObject({ status: 'fail', mend: expect.stringContaining('20.19') });
    for (const version of ['20.19.0', '22.1.0', '24.0.0']) expect(checkNode(version).status).toBe('ok');
  });

  it('tells of limits on processor time', () => {
    expect(checkCores(8, NO_LIMITS)).toMatchObject({
      status: 'ok',
      says: '8 cores, no limit by a control group',
    });
    expect(checkCores(8, { ...NO_LIMITS, cores: 2.5 })).toMatchObject({
      status: 'ok',
      says: '8 cores, of which the control group grants the time of 2.5; models are planned for 2 cores',
    });
    expect(checkCores(8, { ...NO_LIMITS, cores: 0.5 })).toMatchObject({
      status: 'warn',
      mend: expect.any(String),
    });
  });

  it('tells of little memory, on the machine or by a limit', () => {
    const machine = { totalBytes: 8192 * MIB, freeBytes: 4096 * MIB };
    expect(checkMemory(machine, NO_LIMITS)).toMatchObject({
      status: 'ok',
      says: '8.0 GiB, 4.0 GiB of it free',
    });
    expect(checkMemory({ ...machine, freeBytes: 100 * MIB }, NO_LIMITS).status).toBe('warn');
    expect(checkMemory(machine, { ...NO_LIMITS, memoryBytes: 128 * MIB })).toMatchObject({
      status: 'warn',
      says: '8.0 GiB, 4.0 GiB of it free, and the control group grants 128 MiB',
    });
  });

  it('tells of few open files', () => {
    const limits = (soft: string) =>
      `Limit   Soft Limit  Hard Limit  Units\nMax open files   ${soft}   4096  files\n`;
    expect(checkFileDescriptors(limits('1024')).status).toBe('warn');
    expect(checkFileDescriptors(limits('65536')).status).toBe('ok');
    expect(checkFileDescriptors(limits('unlimited')).status).toBe('ok');
    expect(checkFileDescriptors('').status).toBe('ok');
  });

  it('tells of a clock that stands still, or shows a day before its time', async () => {
    expect((await checkClock()).status).toBe('ok');
    const stopped = { monotonicMs: () => 5, wallMs: () => Date.UTC(2026, 0, 1) };
    expect((await checkClock(stopped)).status).toBe('fail');
    expect(await checkClock({ monotonicMs: () => performance.now(), wallMs: () => 0 })).toMatchObject({
      status: 'warn',
      says: 'the wall clock shows 1970-01-01T00:00:00.000Z',
    });
  });

  it('starts a thread', async () => {
    expect((await checkThreads()).status).toBe('ok');
    expect(await checkThreads('throw new Error("no")')).toMatchObject({
      status: 'fail',
      says: 'a worker thread does not start: no',
    });
  });

  it('looks whether the folder for temporary files can be used', async () => {
    expect((await checkDisk()).status).toBe('ok');
    expect((await checkDisk('/nowhere')).status).toBe('warn');
  });

  it('ends with the exit code of the first failure', () => {
    expect(exitCodeOf([ok('a', ''), warn('b', '', '')])).toBe(0);
    expect(
      exitCodeOf([ok('a', ''), fail('b', 'UNSUPPORTED', '', ''), fail('c', 'CONFIG_INVALID', '', '')]),
    ).toBe(69);
  });
});
