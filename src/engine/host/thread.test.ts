import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import { BORROWED, createOwner } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { openThreadSession } from './thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimify-thread-'));
afterAll(() => rmSync(folder, { recursive: true }));

const entry = new URL('../../../test/engine/fixtures/unruly-thread.mjs', import.meta.url);

function open(path: string, clock = createFakeClock()) {
  return openThreadSession({ path, intraOpThreads: 1 }, { entry, clock, log: SILENT });
}

const x: Tensor = { name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) };
const ask = (...outputs: string[]) => ({ inputs: [x], outputs, owner: BORROWED });

/** 64 KiB pages of memory that belongs to WebAssembly; TypeScript's own library does not know that Node has it. */
function webAssemblyMemory(pages: number): ArrayBuffer {
  type Memory = new (descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: { readonly Memory: Memory } };
  return new WebAssembly.Memory({ initial: pages }).buffer;
}

describe('openThreadSession', () => {
  it('loads, answers many runs at once, and leaves when asked', async () => {
    const session = await open('model');
    expect(session.info.memoryBytes).toBe(3);
    const results = await Promise.all(Array.from({ length: 20 }, () => session.run(ask('y'))));
    for (const result of results) expect(result).toEqual({ outputs: [x], computeNs: 42 });
    await session.close();
    expect(x.data).toHaveLength(2);
  });

  it('hands over the buffers of a sole holder', async () => {
    const session = await open('model');
    const data = new Uint8Array(100_000);
    const large: Tensor = { name: 'x', datatype: 'UINT8', shape: [100_000], data };
    const running = session.run({ inputs: [large], outputs: ['y'], owner: createOwner() });
    expect(data.byteLength).toBe(0);
    expect((await running).outputs[0]?.data).toHaveLength(100_000);
    await session.close();
  });

  it('copies where a buffer cannot be detached', async () => {
    const session = await open('model');
    const data = new Uint8Array(webAssemblyMemory(2));
    data[5] = 6;
    const large: Tensor = { name: 'x', datatype: 'UINT8', shape: [data.length], data };
    const { outputs } = await session.run({ inputs: [large], outputs: ['y'], owner: createOwner() });
    expect((outputs[0]!.data as Uint8Array)[5]).toBe(6);
    expect(data).toHaveLength(131_072);
    await session.close();
  });

  it('passes on why a model is refused', async () => {
    await expect(open('refused')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'not this one',
      details: { where: 'here' },
      cause: new Error('native text'),
    });
    await expect(open('dead')).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  });

  it.each(['die', 'leave'])('fails the runs of a thread that dies (%s), and replaces it', async (how) => {
    const session = await open('model');
    const changed = vi.fn();
    session.onChange(changed);
    const victims = [session.run(ask('never')), session.run(ask(how))];
    for (const victim of victims) await expect(victim).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(session.available).toBe(false);
    await expect(session.run(ask('y'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    await vi.waitFor(() => expect(session.available).toBe(true), { timeout: 10_000 });
    expect(changed).toHaveBeenCalledTimes(2);
    expect((await session.run(ask('y'))).computeNs).toBe(42);
    await session.close();
  });

  it('logs what a thread died of', async () => {
    const error = vi.fn();
    const deps = { entry, clock: createFakeClock(), log: { ...SILENT, error } };
    const session = await openThreadSession({ path: 'model', intraOpThreads: 1 }, deps);
    await expect(session.run(ask('die'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(error).toHaveBeenCalledWith(
      { path: 'model', err: expect.any(Error), retryAfterMs: 0 },
      expect.any(String),
    );
    await session.close();
  });

  it('tries again at growing intervals where it does not start', async () => {
    const clock = createFakeClock();
    const path = join(folder, 'model');
    const session = await open(path, clock);
    writeFileSync(`${path}.broken`, '');
    await expect(session.run(ask('die'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    for (const failures of [1, 2, 3]) {
      await vi.waitFor(() => expect(session.failedRestarts).toBe(failures), { timeout: 10_000 });
      expect(clock.pendingTimers).toBe(1);
      if (failures === 3) rmSync(`${path}.broken`);
      // At least half of each interval is drawn at random.
      clock.advance(100 * 2 ** (failures - 1) + 1);
    }
    await vi.waitFor(() => expect(session.available).toBe(true), { timeout: 10_000 });
    expect(session.failedRestarts).toBe(0);
    await session.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits before it replaces one that dies again without an answer', async () => {
    const clock = createFakeClock();
    const session = await open('model', clock);
    for (const waits of [0, 1]) {
      await expect(session.run(ask('die'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
      expect(clock.pendingTimers).toBe(waits);
      clock.advance(100);
      await vi.waitFor(() => expect(session.available).toBe(true), { timeout: 10_000 });
    }
    await session.run(ask('y'));
    await expect(session.run(ask('die'))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(clock.pendingTimers).toBe(0);
    await vi.waitFor(() => expect(session.available).toBe(true), { timeout: 10_000 });
    await session.close();
  });

  it('stops trying when closed', async () => {
    const clock = createFakeClock();
    const path = join(folder, 'closing');
    const session = await open(path, clock);
    writeFileSync(`${path}.broken`, '');
    await expect(session.run(ask('die'))).rejects.toThrow();
    await vi.waitFor(() => expect(session.failedRestarts).toBe(1), { timeout: 10_000 });
    await session.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
