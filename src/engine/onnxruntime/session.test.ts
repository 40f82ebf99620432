import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../base/tensor/bytes.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { systemClock } from '../../base/util/clock.ts';
import type { RunRequest } from '../../model/engine.ts';
import type { HostSession } from '../host/session.ts';
import { openOrtSession } from './session.ts';

function open(name: string, way?: 'public API'): Promise<HostSession> {
  const path = fileURLToPath(new URL(`../../../test/${name}.onnx`, import.meta.url));
  const source = { path, intraOpThreads: 1 };
  return way === undefined
    ? openOrtSession(source, systemClock)
    : openOrtSession(source, systemClock, () => undefined);
}

const asked = (inputs: readonly Tensor[], outputs: readonly string[]): RunRequest => ({
  ...{ inputs, outputs },
  owner: BORROWED,
});
const ofRows = (...rows: bigint[]) =>
  asked([{ name: 'i', datatype: 'INT64', shape: [rows.length], data: BigInt64Array.from(rows) }], ['y']);

describe('openOrtSession', () => {
  it('gives a session that runs at once; through the public API one that does not', async () => {
    const native = await open('engine/fixtures/gather');
    const wrapped = await open('engine/fixtures/gather', 'public API');
    const { outputs, computeNs } = native.runNow?.(ofRows(2n, 0n)) ?? expect.unreachable();
    expect(outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [2, 4], data: Float32Array.of(8, 9, 10, 11, 0, 1, 2, 3) },
    ]);
    expect(computeNs).toBeGreaterThan(0);
    expect((await native.run(ofRows(2n, 0n))).outputs).toEqual(outputs);
    expect(wrapped.runNow).toBeUndefined();
    expect((await wrapped.run(ofRows(2n, 0n))).outputs).toEqual(outputs);
    await Promise.all([native.close(), wrapped.close()]);
  });

  it.each([
    'engine/fixtures/gather',
    'engine/fixtures/text_to_number',
    'fixtures/zipmap',
    'fixtures/optional_input',
    'fixtures/sequence_input',
    'fixtures/int4_output',
    'fixtures/dynamic_dims',
  ])('tells the same of %s both ways', async (name) => {
    const sessions = [await open(name), await open(name, 'public API')];
    const [native, wrapped] = sessions.map(({ info: { inputs, outputs } }) => ({ inputs, outputs }));
    expect(native).toEqual(wrapped);
    await Promise.all(sessions.map((session) => session.close()));
  });

  it('refuses at once what it refuses later, and goes on', async () => {
    const session = await open('engine/fixtures/gather');
    const error = { code: 'INVALID_INPUT', message: expect.stringContaining('index 99 is outside') };
    expect(() => session.runNow?.(ofRows(99n))).toThrow(expect.objectContaining(error));
    await expect(session.run(ofRows(99n))).rejects.toMatchObject(error);
    const half = asked([{ name: 'i', datatype: 'BF16', shape: [1], data: new Uint16Array(1) }], ['y']);
    expect(() => session.runNow?.(half)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(session.runNow?.(ofRows(1n)).outputs[0]?.shape).toEqual([1, 4]);
    await session.close();
  });

  it('passes text and tensors without elements at once too', async () => {
    const session = await open('engine/fixtures/text_to_number');
    const texts = (...values: string[]) =>
      asked([{ name: 'a', datatype: 'BYTES', shape: [values.length], data: toBytesData(values) }], ['y']);
    expect(session.runNow?.(texts('1.5', '-2')).outputs[0]).toMatchObject({ shape: [2] });
    expect(session.runNow?.(texts()).outputs[0]).toMatchObject({ shape: [0] });
    await session.close();
  });

  it('gives the outputs that are wanted, in that order, time after time', async () => {
    const session = await open('../examples/demo/iris/model');
    const { inputs, outputs } = session.info;
    const given = inputs.map(
      ({ name }): Tensor => ({ name, datatype: 'FP32', shape: [1, 4], data: new Float32Array(4) }),
    );
    const names = outputs.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(1);
    for (const wanted of [names, names, [...names].reverse(), names.slice(0, 1), names]) {
      const made = session.runNow?.(asked(given, wanted)).outputs.map(({ name }) => name);
      expect(made).toEqual(wanted);
    }
    await session.close();
  });

  it.each([undefined, 'public API'] as const)('ends what was begun before it closes (%s)', async (way) => {
    const session = await open('engine/fixtures/gather', way);
    const running = [session.run(ofRows(1n)), session.run(ofRows(2n))];
    const closed = session.close();
    for (const { outputs } of await Promise.all(running)) expect(outputs).toHaveLength(1);
    await closed;
    await expect(session.run(ofRows(1n))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });
});
