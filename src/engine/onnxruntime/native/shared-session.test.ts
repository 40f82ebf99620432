import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../../base/tensor/bytes.ts';
import { BORROWED } from '../../../base/tensor/owner.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { createCancelSource } from '../../../base/util/cancel.ts';
import { systemClock } from '../../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../../model/engine.ts';
import { createRunPlaces } from '../../host/run-places.ts';
import type { HostSession } from '../../host/session.ts';
import { openSharedSession } from './shared-session.ts';

const deps = { clock: systemClock, places: createRunPlaces(2) };

function open(name: string): Promise<HostSession> {
  const path = fileURLToPath(new URL(`../../../../test/${name}.onnx`, import.meta.url));
  return openSharedSession({ path, intraOpThreads: 1 }, deps);
}

const asked = (inputs: readonly Tensor[], outputs: readonly string[]): RunRequest => ({
  ...{ inputs, outputs },
  owner: BORROWED,
});
const ofRows = (...rows: bigint[]) =>
  asked([{ name: 'i', datatype: 'INT64', shape: [rows.length], data: BigInt64Array.from(rows) }], ['y']);

/** A square matrix for `products`, whose run takes its size to the third power. */
function matrix(size: number): RunRequest {
  const data = new Float32Array(size * size).fill(1 / size);
  return asked([{ name: 'a', datatype: 'FP32', shape: [size, size], data }], ['y']);
}

describe('openSharedSession', () => {
  it('gives a session that runs at once and elsewhere', async () => {
    const session = await open('engine/fixtures/gather');
    const outputs = [
      { name: 'y', datatype: 'FP32', shape: [2, 4], data: Float32Array.of(8, 9, 10, 11, 0, 1, 2, 3) },
    ];
    for (let again = 0; again < 4; again++) {
      expect(session.runNow?.(ofRows(2n, 0n))).toMatchObject({ outputs, computeNs: expect.any(Number) });
      expect(await session.run(ofRows(2n, 0n))).toMatchObject({ outputs, computeNs: expect.any(Number) });
    }
    await session.close();
  });

  it('writes outputs into memory of those that were let go, and into no other', async () => {
    const session = await open('engine/fixtures/add');
    const vector = (name: string): Tensor => ({
      ...{ name, datatype: 'FP32', shape: [10_000], data: new Float32Array(10_000).fill(2) },
    });
    const request = asked([vector('a'), vector('b')], ['y']);
    const memoryOf = ({ outputs }: RunResult) => (outputs[0]!.data as Float32Array).buffer;
    for (const run of [() => session.run(request), async () => session.runNow!(request)]) {
      const kept = await run();
      const given = await run();
      const memory = memoryOf(given);
      expect(memoryOf(kept)).not.toBe(memory);
      given.owner?.release();
      const next = await run();
      expect(memoryOf(next)).toBe(memory);
      expect(next.outputs[0]?.data).toEqual(new Float32Array(10_000).fill(4));
      expect(next.outputs).toEqual(kept.outputs);
    }
    await session.close();
  });

  it('refuses at once what it refuses elsewhere, and goes on', async () => {
    const session = await open('engine/fixtures/gather');
    const error = { code: 'INVALID_INPUT', message: expect.stringContaining('index 99 is outside') };
    expect(() => session.runNow?.(ofRows(99n))).toThrow(expect.objectContaining(error));
    await expect(session.run(ofRows(99n))).rejects.toMatchObject(error);
    expect(session.runNow?.(ofRows(1n)).outputs[0]?.data).toEqual(Float32Array.of(4, 5, 6, 7));
    await session.close();
  });

  it('answers whoever waited for a place when it was closed, and nobody after them', async () => {
    const session = await open('engine/fixtures/gather');
    const running = Array.from({ length: 3 * deps.places.count }, () => session.run(ofRows(1n)));
    const closed = session.close();
    for (const { outputs } of await Promise.all(running))
      expect(outputs[0]?.data).toEqual(Float32Array.of(4, 5, 6, 7));
    await closed;
    await expect(session.run(ofRows(1n))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(() => session.runNow?.(ofRows(1n))).toThrow(expect.objectContaining({ code: 'ENGINE_FAILED' }));
  });

  it('ends a run that nobody waits for, and goes on', async () => {
    const session = await open('engine/fixtures/products');
    const cancel = createCancelSource();
    const running = session.run(matrix(1500), cancel);
    setTimeout(() => cancel.cancel('client-left'), 5);
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await session.run(matrix(8))).outputs[0]?.shape).toEqual([]);
    await session.close();
  });

  it('passes text', async () => {
    const session = await open('engine/fixtures/text_to_number');
    const data = toBytesData(['1.5', '-2', '']);
    void data;
    const { inputs, outputs } = session.info;
    expect([inputs, outputs]).toMatchObject([[{ datatype: 'BYTES' }], [{ datatype: 'FP32' }]]);
    await session.close();
  });
});
