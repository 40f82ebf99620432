import { describe, expect, it } from 'vitest';
import { invalidInput } from '../base/errors/nimify-error.ts';
import { type LogFields, type Logger, SILENT } from '../base/telemetry/log.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import type { Artifact } from '../model/artifact.ts';
import type { EngineOptions, HostKind, RunRequest } from '../model/engine.ts';
import { createFakeEngine, createFakeEngineInstance } from '../model/fake-engine.ts';
import type { Signature } from '../model/signature.ts';
import { prepareModel } from './prepare.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  batchAxis: 0,
};

const artifact: Artifact = {
  format: 'onnx',
  path: '/models/m.onnx',
  sizeBytes: 1,
  contentHash: 'hash',
  signature,
  batchAxisReason: 'dimension 0 is dynamic in every input and output',
  indexLimits: {},
  omitted: [],
  metadata: {},
};

const options: EngineOptions = { host: 'auto', batchAxis: 'auto' };
const example: Tensor = { name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) };

function prepare(
  run: ((request: RunRequest) => readonly Tensor[]) | undefined,
  more: Partial<Parameters<typeof prepareModel>[0]> = {},
  log: Logger = SILENT,
) {
  const instance = createFakeEngineInstance({ signature, ...(run === undefined ? {} : { run }) });
  const engine = createFakeEngine(instance);
  const input = { name: 'm', version: '1', artifact, engine, options, ...more };
  return { instance, engine, prepared: prepareModel(input, { clock: createFakeClock(), log }) };
}

function mixing({ inputs: [x] }: RunRequest): readonly Tensor[] {
  const data = x!.data as Float32Array;
  const largest = Math.max(...data.map(Math.abs));
  return [{ ...x!, name: 'y', data: data.map((value) => value / largest) }];
}

describe('prepareModel', () => {
  it('gives a model, the example it answered, and notes; and logs them', async () => {
    const lines: LogFields[] = [];
    const log = { ...SILENT, info: (fields: LogFields) => void lines.push(fields) };
    const { model, example, notes } = await prepare(undefined, {}, log).prepared;
    expect(model).toMatchObject({ kind: 'engine', name: 'm', state: 'ready', revision: 'hash' });
    expect(model.signature.batchAxis).toBe(0);
    expect(example).toMatchObject({ origin: 'generated', inputs: [{ name: 'x', shape: [1] }] });
    expect(Object.keys(notes)).toEqual(['host', 'batchAxis', 'selfTest', 'memory']);
    expect(lines).toEqual([expect.objectContaining({ model: 'm', ...notes })]);
  });

  it('serves a model that mixes rows unbatched, and says why', async () => {
    const { model, notes } = await prepare(mixing).prepared;
    expect(model.signature.batchAxis).toBe('none');
    expect(notes.batchAxis).toContain('rows influence each other');
  });

  it('does as told about the batch axis', async () => {
    const forced = await prepare(mixing, { options: { ...options, batchAxis: 'force' } }).prepared;
    expect(forced.model.signature.batchAxis).toBe(0);
    expect(forced.notes.batchAxis).toContain('forced');
    const none = await prepare(undefined, { options: { ...options, batchAxis: 'none' } }).prepared;
    expect(none.model.signature.batchAxis).toBe('none');
  });

  it.each<[string, readonly number[]]>([
    ["input 'x' is a scalar", []],
    ["dimension 0 of input 'x' is fixed at 3", [3]],
  ])('refuses to force a batch axis where %s, before it loads', async (why, shape) => {
    const fixed = { ...signature, inputs: [{ ...signature.inputs[0]!, shape }] };
    const { engine, prepared } = prepare(undefined, {
      artifact: { ...artifact, signature: fixed },
      options: { ...options, batchAxis: 'force' },
    });
    await expect(prepared).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`/models/m.onnx: the batch axis cannot be forced: ${why}`),
      details: { where: 'batchAxis' },
    });
    expect(engine.loads).toEqual([]);
  });

  it('answers the example that was given, and lets the engine measure it', async () => {
    const { engine, prepared } = prepare(undefined, { example: [example] });
    expect((await prepared).example).toMatchObject({ origin: 'file', inputs: [example] });
    expect(engine.loads[0]?.exampleInputs).toEqual([example]);
  });

  it('refuses a model whose own example does not work, and frees it', async () => {
    const { instance, prepared } = prepare(
      () => {
        throw invalidInput('out of range');
      },
      { example: [example] },
    );
    await expect(prepared).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('out of range'),
    });
    expect(instance.drained).toBe(true);
  });

  it('serves without an example where none can be made up, with a warning', async () => {
    const warnings: LogFields[] = [];
    const log = { ...SILENT, warn: (fields: LogFields) => void warnings.push(fields) };
    const refuse = () => {
      throw invalidInput('not like this');
    };
    const { model, example: found, notes } = await prepare(refuse, {}, log).prepared;
    expect(found).toBeUndefined();
    expect(model.signature.batchAxis).toBe('none');
    expect(notes.selfTest).toContain('not like this');
    expect(warnings).toHaveLength(1);
  });

  it('measures what runs of several rows take, of a model that may be batched', async () => {
    const { costs } = await prepare(undefined, { options: { ...options, tune: 'auto' } }).prepared;
    expect(new Set(costs.map(({ rows }) => rows))).toContain(4);
    const unbatched = await prepare(mixing, { options: { ...options, tune: 'auto' } }).prepared;
    expect(unbatched.costs.map(({ rows }) => rows)).toEqual([1, 1, 1]);
  });

  it('makes rows of the example that was given', async () => {
    const { instance, prepared } = prepare(undefined, {
      example: [example],
      options: { ...options, tune: 'auto', batchAxis: 'force' },
    });
    await prepared;
    const eight = instance.runs.find(({ inputs }) => inputs[0]?.shape[0] === 8);
    expect(eight?.inputs[0]?.data).toEqual(Float32Array.of(1, 2, 1, 2, 1, 2, 1, 2));
  });

  it('has only the time of the self-test where nothing is to be measured, and none where there is none', async () => {
    expect((await prepare(undefined).prepared).costs).toEqual([{ rows: 1, ns: 1000 }]);
    const refuse = () => {
      throw invalidInput('not like this');
    };
    expect((await prepare(refuse, { options: { ...options, tune: 'full' } }).prepared).costs).toEqual([]);
  });

  it('keeps one run in flight where runs take turns and rows can be joined, else one a slot', async () => {
    const load = async (host: HostKind, batchAxis: EngineOptions['batchAxis']) => {
      const instance = { ...createFakeEngineInstance({ signature, slots: 3 }), host };
      const { prepared } = prepare(undefined, {
        engine: createFakeEngine(instance),
        options: { ...options, batchAxis },
      });
      return (await prepared).slots;
    };
    expect(await load('inline', 'force')).toBe(1);
    expect(await load('inline', 'none')).toBe(3);
    expect(await load('thread', 'force')).toBe(3);
  });
});

describe('prepareModel of a model of fixed batches', () => {
  const shape = [4];
  const fixed: Signature = {
    inputs: [{ ...signature.inputs[0]!, shape, dimensionNames: [undefined] }],
    outputs: [{ ...signature.outputs[0]!, shape, dimensionNames: [undefined] }],
    batchAxis: 'none',
  };
  const fixedArtifact = { ...artifact, signature: fixed, fixedRows: 4, batchAxisReason: 'fixed at 4' };

  function prepareFixed(
    run: ((request: RunRequest) => readonly Tensor[]) | undefined,
    more: Partial<Parameters<typeof prepareModel>[0]> = {},
    log: Logger = SILENT,
  ) {
    const instance = createFakeEngineInstance({
      signature: fixed,
      slots: 3,
      ...(run === undefined ? {} : { run }),
    });
    const engine = createFakeEngine({ ...instance, host: 'inline' });
    const input = { name: 'm', version: '1', artifact: fixedArtifact, engine, options, pads: true, ...more };
    return { instance, prepared: prepareModel(input, { clock: createFakeClock(), log }) };
  }

  it('says to what runs have to be filled up, where rows are proven independent', async () => {
    const { instance, prepared } = prepareFixed(undefined, { options: { ...options, tune: 'auto' } });
    const { model, paddedRows, notes, costs, slots, example: shown } = await prepared;
    expect({ paddedRows, slots }).toEqual({ paddedRows: 4, slots: 1 });
    expect(notes.batchAxis).toMatch(/^0: runs are filled up to 4 rows: 5 rows, one of them an outlier/);
    expect(model.signature).toEqual(fixed);
    expect(new Set(costs.map(({ rows }) => rows))).toEqual(new Set([4]));
    expect(shown).toMatchObject({ origin: 'generated', inputs: [{ shape: [1] }], outputs: [{ shape: [1] }] });
    expect(new Set(instance.runs.map(({ inputs }) => inputs[0]?.shape[0]))).toEqual(new Set([4]));
  });

  it('leaves the model as it is where they are not, and warns of it', async () => {
    const warnings: LogFields[] = [];
    const log = { ...SILENT, warn: (fields: LogFields) => void warnings.push(fields) };
    const { paddedRows, notes, slots, example: shown } = await prepareFixed(mixing, {}, log).prepared;
    expect({ paddedRows, slots }).toEqual({ paddedRows: undefined, slots: 3 });
    expect(notes.batchAxis).toMatch(
      /^none: dimension 0 is fixed at 4, and runs are not filled up: rows are not/,
    );
    expect(warnings).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('not independent') }),
    ]);
    expect(shown).toMatchObject({ inputs: [{ shape: [4] }] });
  });

  it('fills up the example that was given, and shows what was given', async () => {
    const { instance, prepared } = prepareFixed(undefined, { example: [example] });
    expect((await prepared).example).toMatchObject({
      origin: 'file',
      inputs: [example],
      outputs: [{ shape: [2] }],
    });
    expect(instance.runs[0]?.inputs[0]?.data).toEqual(Float32Array.of(1, 2, 1, 2));
  });

  it('proves nothing unless it is asked for, or where it is forced', async () => {
    const asIs = await prepareFixed(undefined, { pads: false }).prepared;
    expect([asIs.paddedRows, asIs.notes.batchAxis]).toEqual([undefined, 'none: fixed at 4']);
    const forced = await prepareFixed(mixing, { options: { ...options, batchAxis: 'force' } }).prepared;
    expect([forced.paddedRows, forced.notes.batchAxis]).toEqual([4, expect.stringContaining('forced')]);
    const refused = prepareFixed(mixing, {
      pads: false,
      options: { ...options, batchAxis: 'force' },
    }).prepared;
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
