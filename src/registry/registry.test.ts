import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createContext } from '../model/context.ts';
import { createFakeModel, type FakeModelOptions } from '../model/fake-model.ts';
import { createInferRequest } from '../model/request.ts';
import type { ServedModel } from './contract.ts';
import { toFakeServed } from './fake-served.ts';
import { createRegistry } from './registry.ts';

function serve(name: string, version = '1', options: FakeModelOptions = {}): ServedModel {
  return toFakeServed(createFakeModel({ name, version, ...options }));
}

const stray: Tensor = { name: 'stray', datatype: 'FP32', shape: [1], data: new Float32Array(1) };

describe('createRegistry', () => {
  it('finds the newest version by number, or the one asked for', () => {
    const registry = createRegistry();
    for (const version of ['2', '10', '9', 'beta']) registry.add(serve('m', version));
    expect(registry.find('m').version).toBe('10');
    expect(registry.find('m', '9').version).toBe('9');
    expect(registry.list().map((served) => served.version)).toEqual(['beta', '2', '9', '10']);
  });

  it('lets an older version answer while a newer one is loading or has failed', async () => {
    const registry = createRegistry();
    registry.add(serve('m', '1'));
    registry.expect('m', '3');
    expect(registry.find('m').version).toBe('1');
    expect(() => registry.find('m', '3')).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READY' }));
    const failed = createFakeModel({ name: 'm', version: '2' });
    failed.setState('failed');
    registry.add({ ...serve('m', '2'), model: failed });
    expect(registry.find('m').version).toBe('1');
    registry.add(serve('m', '3'));
    expect(registry.find('m').version).toBe('3');
  });

  it('takes the newest where no version takes requests', () => {
    const registry = createRegistry();
    const failed = createFakeModel({ name: 'm', version: '1' });
    failed.setState('failed');
    registry.add({ ...serve('m', '1'), model: failed });
    expect(registry.find('m').version).toBe('1');
    registry.expect('m', '2');
    expect(() => registry.find('m')).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READY' }));
  });

  it('names what is served when the model or version is unknown', () => {
    const registry = createRegistry();
    registry.add(serve('iris'));
    expect(() => registry.find('irs')).toThrow(
      "Request for unknown model: 'irs' is not found; served models: iris",
    );
    expect(() => registry.find('iris', '7')).toThrow("'iris' version 7 is not found; served versions: 1");
    expect(() => registry.find('__proto__')).toThrow(expect.objectContaining({ code: 'MODEL_NOT_FOUND' }));
  });

  it('is ready once every expected model is there and answers, until it drains', async () => {
    const registry = createRegistry();
    expect(registry.isReady()).toBe(false);
    registry.expect('a', '1');
    registry.expect('b', '1');
    registry.add(serve('a'));
    expect(registry.isReady()).toBe(false);
    expect(() => registry.find('b')).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_READY', retryable: true }),
    );
    registry.add(serve('b'));
    expect(registry.isReady()).toBe(true);
    registry.startDraining();
    expect(registry.isReady()).toBe(false);
    await registry.close({ graceMs: 0 });
    expect(registry.list()).toEqual([]);
  });

  it('is not ready for a model that had no self-test, until it has answered somebody', async () => {
    const registry = createRegistry();
    const untested = { ...serve('m'), isUntested: true };
    registry.add(untested);
    expect([registry.isReady(), registry.isModelReady(untested)]).toEqual([false, false]);
    await expect(
      registry.infer(createInferRequest({ model: 'm', inputs: [stray] }), createContext()),
    ).rejects.toThrow();
    expect(registry.isReady()).toBe(false);
    await registry.infer(createInferRequest({ model: 'm', inputs: [] }), createContext());
    expect([registry.isReady(), registry.isModelReady(untested)]).toEqual([true, true]);
  });

  it('checks a request against the signature before the model sees it', async () => {
    const registry = createRegistry();
    registry.add(serve('m'));
    const refused = registry.infer(createInferRequest({ model: 'm', inputs: [stray] }), createContext());
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const unknown = registry.infer(createInferRequest({ model: 'n', inputs: [] }), createContext());
    await expect(unknown).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('gives what a model answers at once, and nothing where it does not', async () => {
    const registry = createRegistry();
    const asked = (model: string) => createInferRequest({ model, inputs: [] });
    registry.add(serve('later'));
    registry.add(serve('not-now', '1', { answerNow: () => undefined }));
    registry.add(serve('now', '1', { answerNow: () => [stray] }));
    expect(registry.inferNow(asked('later'), createContext())).toBeUndefined();
    expect(registry.inferNow(asked('not-now'), createContext())).toBeUndefined();
    expect(registry.inferNow(asked('now'), createContext())).toMatchObject({
      model: 'now',
      outputs: [stray],
    });
  });

  it('refuses at once what it refuses else', () => {
    const registry = createRegistry();
    registry.add(serve('m', '1', { answerNow: () => [] }));
    const now = (model: string, inputs: readonly Tensor[]) =>
      registry.inferNow(createInferRequest({ model, inputs }), createContext());
    expect(() => now('m', [stray])).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(() => now('n', [])).toThrow(expect.objectContaining({ code: 'MODEL_NOT_FOUND' }));
  });

  it('takes an answer at once for the first that an untested model gave', () => {
    const registry = createRegistry();
    let answer: readonly Tensor[] | undefined;
    registry.add({ ...serve('m', '1', { answerNow: () => answer }), isUntested: true });
    const ask = () => registry.inferNow(createInferRequest({ model: 'm', inputs: [] }), createContext());
    ask();
    expect(registry.isReady()).toBe(false);
    answer = [];
    ask();
    expect(registry.isReady()).toBe(true);
  });
});

describe('a registry that changes', () => {
  it('answers with the newest version that is loaded while a newer one is on its way, or failed', () => {
    const registry = createRegistry();
    registry.add(serve('m', '1'));
    registry.expect('m', '2');
    expect(registry.find('m').version).toBe('1');
    expect(() => registry.find('m', '2')).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READY' }));
    registry.fail('m', '2', { isExcused: false });
    expect(registry.find('m').version).toBe('1');
    expect(() => registry.find('m', '2')).toThrow(
      "Request for unknown model: 'm' version 2 is not at ready state",
    );
    registry.add(serve('m', '2'));
    expect(registry.find('m').version).toBe('2');
  });

  it('gives back what it replaces and removes', () => {
    const registry = createRegistry();
    const [first, second] = [serve('m'), serve('m')];
    expect(registry.add(first)).toBeUndefined();
    expect(registry.add(second)).toBe(first);
    registry.fail('m', '1', { isExcused: false });
    expect(registry.find('m')).toBe(second);
    expect(registry.remove('m', '1')).toBe(second);
    expect(registry.remove('m', '1')).toBeUndefined();
    expect(() => registry.find('m')).toThrow("'m' is not found");
  });

  it.each([
    ['all', [true, false, false, false, false]],
    ['but-excused', [true, true, false, false, false]],
    ['any', [true, true, true, true, false]],
  ] as const)('is ready, where %s must be', (readiness, [alone, excused, failed, empty, loading]) => {
    const registry = createRegistry({ readiness });
    registry.add(serve('a'));
    expect(registry.isReady()).toBe(alone);
    registry.fail('b', '1', { isExcused: true });
    expect(registry.isReady()).toBe(excused);
    registry.fail('b', '2', { isExcused: false });
    expect(registry.isReady()).toBe(failed);
    registry.add(serve('b', '3'));
    expect(registry.isReady()).toBe(true);
    registry.remove('b', '3');
    expect(registry.isReady()).toBe(empty);
    registry.expect('c', '1');
    expect(registry.isReady()).toBe(loading);
  });

  it('is ready without a model only where it may be', () => {
    expect(createRegistry({ readiness: 'any' }).isReady()).toBe(false);
    expect(createRegistry({ mayBeEmpty: true }).isReady()).toBe(true);
  });

  it('has no answer from a model of which no version could be loaded', () => {
    const registry = createRegistry();
    registry.fail('m', '', { isExcused: true });
    expect(() => registry.find('m')).toThrow("Request for unknown model: 'm' has no available versions");
    expect(registry.list()).toEqual([]);
  });
});

describe('what a registry counts', () => {
  const request = { model: 'm', inputs: [] };

  it('is every request that a model was asked, whichever way', async () => {
    const registry = createRegistry();
    registry.add(serve('m', '1', { answer: () => [], answerNow: () => [] }));
    await registry.infer(createInferRequest(request), createContext());
    registry.inferNow(createInferRequest(request), createContext());
    const [{ served, statistics } = {}] = registry.statistics('m');
    expect(served?.name).toBe('m');
    expect(statistics).toMatchObject({ success: { count: 2 }, inferenceCount: 2, fail: { count: 0 } });
  });

  it('is no request that was refused before, nor one that was not answered at once', async () => {
    const registry = createRegistry();
    registry.add(serve('m', '1', { answerNow: () => undefined }));
    registry.inferNow(createInferRequest(request), createContext());
    const stranger = createInferRequest({ model: 'm', inputs: [stray] });
    await expect(registry.infer(stranger, createContext())).rejects.toThrow();
    expect(() => registry.inferNow(stranger, createContext())).toThrow();
    expect(registry.statistics('m')[0]?.statistics).toMatchObject({
      success: { count: 0 },
      fail: { count: 0 },
    });
  });

  it('is every request that a model turned away, and none that it might have let in', () => {
    const registry = createRegistry();
    const full = new NimifyError('OVERLOADED', 'full');
    registry.add(serve('m', '1', { turnAway: (_context, isPlain) => (isPlain() ? full : undefined) }));
    registry.add(serve('n', '1'));
    expect(registry.turnAway({ model: 'm' }, createContext(), () => true)).toBe(full);
    expect(registry.turnAway({ model: 'm', version: '1' }, createContext(), () => false)).toBeUndefined();
    expect(registry.turnAway({ model: 'n' }, createContext(), () => true)).toBeUndefined();
    expect(() => registry.turnAway({ model: 'o' }, createContext(), () => true)).toThrow("'o' is not found");
    expect(registry.statistics('m')[0]?.statistics).toMatchObject({
      fail: { count: 1 },
      cancel: { count: 0 },
    });
  });

  it('tells failed and cancelled requests from answered ones', async () => {
    const registry = createRegistry();
    function failing(code: 'ENGINE_FAILED' | 'CANCELLED') {
      return () => {
        throw new NimifyError(code, 'no');
      };
    }
    registry.add(serve('m', '1', { answer: failing('CANCELLED'), answerNow: failing('ENGINE_FAILED') }));
    await expect(registry.infer(createInferRequest(request), createContext())).rejects.toThrow('no');
    expect(() => registry.inferNow(createInferRequest(request), createContext())).toThrow('no');
    expect(registry.statistics('m')[0]?.statistics).toMatchObject({
      success: { count: 0 },
      fail: { count: 2 },
      cancel: { count: 1 },
    });
  });

  it('is told of all models, of one, or of one version; a replaced one starts anew', async () => {
    const registry = createRegistry();
    for (const [name, version] of [
      ['n', '1'],
      ['m', '10'],
      ['m', '2'],
    ] as const) {
      registry.add(serve(name, version, { answer: () => [] }));
    }
    registry.expect('n', '2');
    const told = (...asked: string[]) =>
      registry.statistics(...asked).map(({ served }) => `${served.name}/${served.version}`);
    expect(told()).toEqual(['m/2', 'm/10', 'n/1']);
    expect(told('m')).toEqual(['m/2', 'm/10']);
    expect(told('m', '10')).toEqual(['m/10']);
    expect(() => registry.statistics('o')).toThrow("Request for unknown model: 'o' is not found");
    expect(() => registry.statistics('n', '2')).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READY' }));
    await registry.infer(createInferRequest(request), createContext());
    expect(registry.statistics('m', '10')[0]?.statistics.success.count).toBe(1);
    registry.add(serve('m', '10'));
    expect(registry.statistics('m', '10')[0]?.statistics.success.count).toBe(0);
  });
});
