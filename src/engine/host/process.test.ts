import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { LogFields } from '../../base/telemetry/log.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { type Clock, systemClock } from '../../base/util/clock.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import type { InstanceWatch } from '../../model/instance-watch.ts';
import { openProcessSession, type ProcessOptions, type ProcessSession } from './process.ts';

const CHILD = fileURLToPath(new URL('../../../test/engine/fixtures/unruly-process.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nimify-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

const opened: ProcessSession[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((session) => session.close()));
});

interface Line {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

async function open(
  start: string,
  options: Partial<ProcessOptions> & {
    readonly clock?: Clock;
    readonly flagFile?: string;
    /** Gets what is told of the instance. */
    readonly watched?: unknown[];
  } = {},
): Promise<ProcessSession & { readonly lines: readonly Line[] }> {
  const { clock = createFakeClock(), flagFile = '', watched = [], ...rest } = options;
  const lines: Line[] = [];
  const at = (level: string) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const watchInstance = (): InstanceWatch => ({
    ended: (end, told) => void watched.push([end, told]),
    replaced: () => void watched.push('replaced'),
    steady: () => void watched.push('steady'),
  });
  const session = await openProcessSession(
    { command: [process.execPath, CHILD, start, flagFile], label: 'unruly', ...rest },
    { clock, log, watchInstance },
  );
  opened.push(session);
  return Object.assign(session, { lines });
}

const x: Tensor = { name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) };
const ask = (output: string) => ({ inputs: [x], outputs: [output], owner: BORROWED });

async function pidOf(session: ProcessSession): Promise<number> {
  const { outputs } = await session.run(ask('pid'));
  return (outputs[0]!.data as Float32Array)[0]!;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const isLinux = process.platform === 'linux';

/** Lets seconds pass, with time in between to look at the child. */
async function beatUntil(clock: FakeClock, check: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      clock.advance(1000);
      expect(check()).toBe(true);
    },
    { timeout: 15_000, interval: 20 },
  );
}

const untilTrue = (check: () => boolean) => vi.waitFor(() => expect(check()).toBe(true), { timeout: 15_000 });

describe('openProcessSession', () => {
  it('takes the signature from the hello, answers, and lets the child leave', async () => {
    const session = await open('');
    expect(session.hello).toMatchObject({
      platform: 'unruly',
      slots: 1,
      deterministic: false,
      memoryBytes: 3,
    });
    expect(session.hello.signature.inputs).toEqual([
      { name: 'x', datatype: 'FP32', shape: [-1], dimensionNames: [undefined] },
    ]);
    expect(await session.run(ask('y'))).toEqual({ outputs: [{ ...x, name: 'y' }], computeNs: 42 });
    const pid = await pidOf(session);
    await session.close();
    expect(isAlive(pid)).toBe(false);
    expect(session.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('answers many runs at once, each its own', async () => {
    const session = await open('pair');
    const runs = Array.from({ length: 50 }, (_, index) => {
      const data = Float32Array.of(index);
      return session.run({ ...ask('y'), inputs: [{ ...x, shape: [1], data }] });
    });
    const answers = (await Promise.all(runs)).map(({ outputs }) => (outputs[0]!.data as Float32Array)[0]);
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  it('passes a tensor of many megabytes both ways', async () => {
    const session = await open('');
    const data = Float32Array.from({ length: 3_000_000 }, (_, index) => index);
    const { outputs } = await session.run({ ...ask('y'), inputs: [{ ...x, shape: [data.length], data }] });
    const back = outputs[0]!.data as Float32Array;
    // Element by element, `toEqual` takes longer than everything else here.
    expect(Buffer.from(back.buffer, back.byteOffset, back.byteLength).equals(Buffer.from(data.buffer))).toBe(
      true,
    );
  });

  it.each([
    ['refused', { code: 'UNSUPPORTED', message: 'not this one', details: { where: 'here' } }],
    [
      'dead',
      { code: 'ENGINE_FAILED', message: expect.stringMatching(/with exit code 7 before it said hello/) },
    ],
    [
      'text',
      { code: 'ENGINE_FAILED', message: expect.stringMatching(/starts with 'NIM'.*'I speak somethin'/) },
    ],
    ['future', { code: 'ENGINE_FAILED', message: expect.stringMatching(/hello.protocol 1, got 2/) }],
    ['eager', { code: 'ENGINE_FAILED', message: expect.stringMatching(/a hello first, got pong/) }],
  ])('says why a child does not start (%s)', async (start, error) => {
    await expect(open(start, { clock: systemClock })).rejects.toMatchObject(error);
  });

  it('gives up on a child that says nothing', async () => {
    const starting = open('silent', { clock: systemClock, startLimitMs: 300 });
    await expect(starting).rejects.toThrow(/said no hello within 0.3 s/);
  });

  it('says that a program cannot be started', async () => {
    const starting = open('', { command: [join(folder, 'nothing-here')] });
    await expect(starting).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it.each([
    ['kill', 'SIGKILL'],
    ['abort', 'SIGABRT'],
    ['exit', 'exit code 3'],
  ])('fails the runs of a child that dies (%s) and replaces it', async (how, told) => {
    const session = await open('pair');
    const changed = vi.fn();
    session.onChange(changed);
    const before = await pidOf(session);
    const victims = [session.run(ask('never')), session.run(ask(how))];
    for (const victim of victims) {
      await expect(victim).rejects.toMatchObject({ code: 'ENGINE_CRASHED', retryable: true });
    }
    expect(session.available).toBe(false);
    await expect(session.run(ask('y'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    await untilTrue(() => session.available);
    expect(changed).toHaveBeenCalledTimes(2);
    expect(await pidOf(session)).not.toBe(before);
    const death = session.lines.find(({ level }) => level === 'error');
    expect(death?.message).toContain(told);
  });

  it.each([
    ['text', /starts with 'NIM'/],
    ['badJson', /./],
    ['badSizes', /binary_data_size/],
    ['wrongKind', /a result, an error, a pong or a bye, got a run/],
    ['wrongId', /the id of a run that is not answered yet, got 1001/],
    ['tooLong', /at most 1073741824 bytes/],
  ])('ends a child that breaks the protocol (%s), and says how', async (how, reason) => {
    const session = await open('');
    const before = await session.run(ask(how)).catch((error: unknown) => error);
    expect(before).toMatchObject({ code: expect.stringMatching(/ENGINE_(CRASHED|FAILED)/) });
    await untilTrue(() =>
      session.lines.some(({ level, fields }) => level === 'error' && fields.err !== undefined),
    );
    const { fields } = session.lines.find(({ level }) => level === 'error')!;
    expect(String(fields.err)).toMatch(reason);
    await untilTrue(() => session.available);
    expect((await session.run(ask('y'))).computeNs).toBe(42);
  });

  it.each([
    ['wrongShape', /gave output 'wrongShape' as FP32\[1,2\], but announced it as FP32\[-1\]/],
    ['wrongType', /INT32/],
    ['nothing', /no output 'nothing', only none/],
  ])('refuses an answer other than announced (%s), and keeps the child', async (how, reason) => {
    const session = await open('');
    const pid = await pidOf(session);
    await expect(session.run(ask(how))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringMatching(reason),
    });
    expect(await pidOf(session)).toBe(pid);
  });

  it('passes on what a child refuses, and no code that it cannot mean', async () => {
    const session = await open('');
    await expect(session.run(ask('refuse'))).rejects.toMatchObject({
      ...{
        code: 'INVALID_INPUT',
        message: 'x is too odd',
        details: { where: 'x' },
        cause: new Error('native'),
      },
    });
    await expect(session.run(ask('strange'))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await expect(session.run(ask('memory'))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'no room',
    });
  });

  it('ends a run past its limit, with its process', async () => {
    const clock = createFakeClock();
    const session = await open('pair', { clock, runLimitMs: 1000 });
    const pid = await pidOf(session);
    const [late, other] = [session.run(ask('spin')), session.run(ask('y'))];
    const otherEnd = other.catch((error: unknown) => error);
    clock.advance(1000);
    await expect(late).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('1000 ms'),
    });
    expect(session.available).toBe(false); // not one request more for a process that is being killed
    expect(await otherEnd).toMatchObject({ code: expect.stringMatching(/DEADLINE_EXCEEDED|ENGINE_CRASHED/) });
    await untilTrue(() => !isAlive(pid) && session.available);
    expect(await pidOf(session)).not.toBe(pid);
  });

  it('sets no timer that outlives its run', async () => {
    const clock = createFakeClock();
    const session = await open('', { clock, runLimitMs: 1000 });
    const before = clock.pendingTimers;
    await session.run(ask('y'));
    await expect(session.run(ask('refuse'))).rejects.toThrow();
    expect(clock.pendingTimers).toBe(before);
    await session.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries again at growing intervals where it does not start', async () => {
    const clock = createFakeClock();
    const flagFile = join(folder, 'broken');
    const session = await open('', { clock, flagFile });
    writeFileSync(flagFile, '');
    await expect(session.run(ask('kill'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    for (const failures of [1, 2, 3]) {
      await untilTrue(() => session.failedRestarts === failures);
      if (failures === 3) rmSync(flagFile);
      const { retryAfterMs } = session.lines.filter(({ level }) => level === 'error').at(-1)!.fields;
      const windowMs = 100 * 2 ** (failures - 1);
      expect(retryAfterMs).toBeGreaterThanOrEqual(windowMs / 2);
      expect(retryAfterMs).toBeLessThanOrEqual(windowMs);
      clock.advance(Number(retryAfterMs));
    }
    await untilTrue(() => session.available);
    expect(session.failedRestarts).toBe(0);
  });

  it('waits before it replaces a child that dies again and again, until one has lived for long', async () => {
    const clock = createFakeClock();
    const session = await open('', { clock });
    const retryAfterMs = () =>
      Number(session.lines.filter(({ level }) => level === 'error').at(-1)?.fields.retryAfterMs);
    await expect(session.run(ask('kill'))).rejects.toThrow();
    await untilTrue(() => session.available);
    expect(retryAfterMs()).toBe(0);
    await expect(session.run(ask('kill'))).rejects.toThrow();
    expect(retryAfterMs()).toBeGreaterThanOrEqual(50);
    clock.advance(100);
    await untilTrue(() => session.available);
    // Three idle ticks within the time, so that its pings are answered on the way.
    for (let tick = 0; tick < 4; tick++) {
      clock.advance(10_000);
      await session.run(ask('y'));
    }
    await expect(session.run(ask('kill'))).rejects.toThrow();
    expect(retryAfterMs()).toBe(0);
    await untilTrue(() => session.available);
  });

  it('ends an idle child that answers no ping', async () => {
    const clock = createFakeClock();
    const session = await open('', { clock });
    const pid = await pidOf(session);
    await session.run(ask('deaf'));
    for (let tick = 0; tick < 4; tick++) clock.advance(10_000);
    await untilTrue(() => !isAlive(pid));
    await untilTrue(() => session.available);
    expect(await pidOf(session)).not.toBe(pid);
  });

  it.runIf(isLinux).each([
    ['was stopped', 'spin', {}],
    ['does not get on', 'never', { isBusyInRuns: true }],
  ] as const)('ends a child in the middle of a run that %s', async (_how, output, options) => {
    const clock = createFakeClock();
    const watched: unknown[] = [];
    const session = await open('pair', { clock, watched, ...options });
    const pid = await pidOf(session);
    const run = session.run(ask(output)).catch((error: unknown) => error);
    if (output === 'spin') process.kill(pid, 'SIGSTOP');
    await beatUntil(clock, () => !isAlive(pid) && session.available);
    expect(await run).toMatchObject({ code: 'ENGINE_CRASHED', details: { inFlight: 1 } });
    expect(await pidOf(session)).not.toBe(pid);
    expect(watched).toEqual([['stuck', { inARow: expect.any(Number), retryAfterMs: 0 }], 'replaced']);
  });

  it.runIf(isLinux)('leaves a child alone that is busy with a run', async () => {
    const clock = createFakeClock();
    const session = await open('pair', { clock, isBusyInRuns: true });
    const pid = await pidOf(session);
    session.run(ask('spin')).catch(() => {});
    for (let beat = 0; beat < 12; beat++) {
      clock.advance(1000);
      // As long as it takes for the kernel to count some of its time.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(isAlive(pid)).toBe(true);
    session.kill?.();
  });

  it('ends a run that nobody waits for, where it goes on for much longer than any before', async () => {
    const clock = createFakeClock();
    const watched: unknown[] = [];
    const session = await open('pair', { clock, watched });
    const pid = await pidOf(session);
    const cancel = createCancelSource();
    const run = session.run(ask('spin'), cancel).catch((error: unknown) => error);
    clock.advance(5000);
    cancel.cancel('deadline');
    clock.advance(9999);
    expect(isAlive(pid)).toBe(true);
    clock.advance(1);
    expect(await run).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { runLimitMs: 15_000 } });
    await untilTrue(() => !isAlive(pid) && session.available);
    expect(watched).toEqual([['overdue', { inARow: 1, retryAfterMs: 0 }], 'replaced']);
  });

  it.runIf(isLinux)('replaces a child that has grown, and lets it finish what it runs', async () => {
    const clock = createFakeClock();
    const watched: unknown[] = [];
    const session = await open('pair', { clock, watched, recycleBytes: 1 });
    const changed = vi.fn();
    session.onChange(changed);
    const pid = await pidOf(session);
    const running = session.run(ask('y'));
    await beatUntil(clock, () => watched.length > 0);
    expect(await pidOf(session)).not.toBe(pid);
    expect((await running).computeNs).toBe(42);
    await untilTrue(() => !isAlive(pid));
    expect(watched).toEqual([['recycled', { inARow: 1, retryAfterMs: 0 }]]);
    // Not again at once: it is as large as that from its start.
    const second = await pidOf(session);
    for (let beat = 0; beat < 50; beat++) {
      clock.advance(1000);
      await session.run(ask('y'));
    }
    expect(await pidOf(session)).toBe(second);
    expect(session.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await session.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('closes while a child is starting, and while one waits to be started', async () => {
    const clock = createFakeClock();
    const flagFile = join(folder, 'closing');
    const session = await open('', { clock, flagFile });
    await expect(session.run(ask('kill'))).rejects.toThrow();
    await session.close();
    expect(session.available).toBe(false);
    expect(clock.pendingTimers).toBe(0);

    const other = await open('', { clock, flagFile });
    writeFileSync(flagFile, '');
    await expect(other.run(ask('kill'))).rejects.toThrow();
    await untilTrue(() => other.failedRestarts === 1);
    await other.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets a run end before it closes', async () => {
    const session = await open('');
    const running = session.run(ask('flood'));
    await session.close();
    expect((await running).computeNs).toBe(42);
  });

  it('logs what the child prints, and not more than a reader can follow', async () => {
    const session = await open('', { clock: systemClock });
    expect((await session.run(ask('flood'))).outputs).toHaveLength(1);
    await session.close();
    const printed = session.lines.filter(({ message }) => message.startsWith('line '));
    expect(printed.length).toBeGreaterThan(100);
    expect(printed.length).toBeLessThan(5000);
    expect(printed[0]).toMatchObject({ level: 'info', fields: { model: 'unruly' } });
    expect(session.lines.some(({ message }) => message.includes('more lines were dropped'))).toBe(true);
  });

  it('ends a child that takes more memory than it may', async () => {
    const limitBytes = 200 * 2 ** 20;
    const session = await open('', { clock: systemClock, memoryLimitBytes: limitBytes, isWatchedOnly: true });
    await expect(session.run(ask('grow'))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('more than the 200 MiB'),
      details: { memoryLimitBytes: limitBytes },
    });
    await untilTrue(() => session.available);
  });
});
