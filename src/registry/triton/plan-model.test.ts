import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../base/triton/read-model-config.ts';
import type { Signature, TensorSpec } from '../../model/signature.ts';
import { refuseUnservable } from './plan.ts';
import { planModel } from './plan-model.ts';

function spec(name: string, shape: readonly number[], datatype: TensorSpec['datatype'] = 'FP32'): TensorSpec {
  return { name, datatype, shape, dimensionNames: shape.map((one) => (one === -1 ? 'n' : undefined)) };
}

const SIGNATURE: Signature = {
  inputs: [spec('x', [-1, 784])],
  outputs: [spec('scores', [-1, 10]), spec('label', [-1], 'INT64')],
  batchAxis: 0,
};

const IO =
  'input { name: "x" data_type: TYPE_FP32 dims: 784 } output { name: "scores" data_type: TYPE_FP32 dims: 10 }';

function plan(text: string, signature: Signature = SIGNATURE, providers: readonly string[] = ['cpu']) {
  return planModel({
    name: 'digits',
    text: readModelConfig(text, 'config.pbtxt'),
    signature,
    facts: { providers },
  });
}

/** Verdict and words of each entry, by field. */
function verdicts(...args: Parameters<typeof plan>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    plan(...args).entries.map(({ field, verdict, says }) => [field, `${verdict}: ${says}`]),
  );
}

describe('planModel', () => {
  it('honours a plain configuration in full', () => {
    const { entries, settings, lacksBackend } = plan(
      `name: "digits" backend: "onnxruntime" max_batch_size: 8 ${IO} instance_group { count: 2 kind: KIND_CPU }`,
    );
    expect(entries.filter(({ verdict }) => verdict !== 'honoured')).toEqual([]);
    expect(lacksBackend).toBe(false);
    expect(settings.engine).toEqual({ instances: 2 });
    expect(settings.declared).toMatchObject({
      maxRows: 8,
      signature: {
        inputs: [{ shape: [-1, 784] }],
        outputs: [{ name: 'scores', shape: [-1, 10] }],
        batchAxis: 0,
      },
      inputs: {},
    });
  });

  it('asks nothing of the stack where the configuration is empty', () => {
    expect(plan('')).toMatchObject({ entries: [], settings: { engine: {} } });
    expect(plan('').settings).not.toHaveProperty('declared');
  });

  it('leaves the rows out of dims where Triton would, and limits them not', () => {
    expect(plan(IO).settings.declared).toMatchObject({
      signature: { inputs: [{ shape: [-1, 784] }], batchAxis: 0 },
    });
    expect(plan(IO).settings.declared).not.toHaveProperty('maxRows');
    const whole = plan('input { name: "x" data_type: TYPE_FP32 dims: [ 1, 784 ] }').settings.declared;
    expect(whole).toMatchObject({ signature: { inputs: [{ shape: [1, 784] }], batchAxis: 'none' } });
  });

  it('counts rows of a model of fixed batches, whose runs are to be filled up', () => {
    const fixed: Signature = {
      inputs: [spec('x', [8, 784])],
      outputs: [spec('scores', [8, 10]), spec('label', [8], 'INT64')],
      batchAxis: 'none',
    };
    const { settings, entries } = plan(`max_batch_size: 4 ${IO}`, fixed);
    expect(entries.filter(({ verdict }) => verdict !== 'honoured')).toEqual([]);
    expect(entries.find(({ field }) => field === 'max_batch_size')?.says).toMatch(
      /^a request may have 4 rows; runs are filled up to the model's own 8, if/,
    );
    expect(settings).toMatchObject({
      batching: { maxBatchRows: 4 },
      declared: {
        maxRows: 4,
        signature: { inputs: [{ shape: [-1, 784] }], outputs: [{ shape: [-1, 10] }], batchAxis: 'none' },
      },
    });
    const whole = plan('max_batch_size: 0 input { name: "x" data_type: TYPE_FP32 dims: [ 8, 784 ] }', fixed);
    expect(whole.settings.declared).toMatchObject({ signature: { inputs: [{ shape: [8, 784] }] } });
    const mixed = { ...fixed, outputs: [spec('scores', [4, 10])] };
    expect(verdicts('max_batch_size: 8', mixed).max_batch_size).toMatch(
      /^refused: expected 0, since dimension 0/,
    );
  });

  it('reshapes, dynamic dimensions too', () => {
    const { settings, entries } = plan(
      `max_batch_size: 4
       input { name: "x" data_type: TYPE_FP32 dims: [ 1, 28, 28 ] reshape { shape: [ 784 ] } }
       output { name: "label" data_type: TYPE_INT64 dims: 1 reshape { shape: [ ] } }`,
    );
    expect(entries.filter(({ verdict }) => verdict === 'refused')).toEqual([]);
    expect(settings.declared?.inputs.x).toEqual({ outside: [-1, 1, 28, 28], inside: [-1, 784] });
    expect(settings.declared?.outputs.label).toEqual({ outside: [-1, 1], inside: [-1] });
    const words = plan(
      'max_batch_size: 0 input { name: "t" data_type: TYPE_STRING dims: [ -1, 1 ] reshape { shape: [ -1 ] } }',
      { inputs: [spec('t', [-1], 'BYTES')], outputs: [], batchAxis: 0 },
    );
    expect(words.settings.declared?.inputs.t).toEqual({ outside: [-1, 1], inside: [-1] });
  });

  it('takes dims [1] for a scalar, of which text format cannot write the shape', () => {
    const scalar = { inputs: [spec('s', [])], outputs: [], batchAxis: 'none' as const };
    const { settings, entries } = plan(
      'max_batch_size: 0 input { name: "s" data_type: TYPE_FP32 dims: 1 }',
      scalar,
    );
    expect(entries.every(({ verdict }) => verdict === 'honoured')).toBe(true);
    expect(settings.declared?.inputs.s).toEqual({ outside: [1], inside: [] });
  });

  it.each<[string, string, string]>([
    ['name: "other"', 'name', "expected 'digits', the name of the folder, got 'other'"],
    ['backend: "python"', 'backend', "the backend 'python' is none of nimify's"],
    ['platform: "tensorrt_plan"', 'platform', "the backend 'tensorrt'"],
    ['platform: "tensorrt_plan" backend: "onnxruntime"', 'platform', 'contradicts the backend'],
    ['max_batch_size: -1', 'max_batch_size', 'expected 0 (no batches) or more, got -1'],
    ['input { name: "y" data_type: TYPE_FP32 dims: 1 }', 'input[0].name', "no input 'y'; it has x"],
    [
      'input { name: "x" data_type: TYPE_INT32 dims: 784 }',
      'input[0].data_type',
      "TYPE_INT32 (INT32), but the model's own is FP32",
    ],
    [
      'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 785 }',
      'input[0].dims',
      "[-1,785] (with the rows of max_batch_size), but the model's own shape is [n,784]",
    ],
    ['max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: -1 }', 'input[0].dims', '[-1,-1]'],
    [
      'max_batch_size: 0 input { name: "x" data_type: TYPE_FP32 dims: 784 }',
      'input[0].dims',
      "[784], but the model's own shape is [n,784]",
    ],
    [
      'input { name: "x" data_type: TYPE_FP32 dims: -2 }',
      'input[0].dims',
      'expected -1 (dynamic) or more, got -2',
    ],
    [
      'max_batch_size: 1 input { name: "x" data_type: TYPE_FP32 dims: [28, 28] reshape { shape: 783 } }',
      'input[0].reshape',
      'does not hold as many elements',
    ],
    [
      'output { name: "scores" data_type: TYPE_FP32 dims: 10 label_filename: "../../etc/passwd" }',
      'output[0].label_filename',
      'without ..',
    ],
    ['default_model_filename: "/etc/passwd"', 'default_model_filename', "got '/etc/passwd'"],
    [
      'input { name: "x" dims: 784 allow_ragged_batch: true }',
      'input[0].allow_ragged_batch',
      'different shapes',
    ],
    ['input { name: "x" dims: 784 is_shape_tensor: true }', 'input[0].is_shape_tensor', 'TensorRT'],
    ['ensemble_scheduling { step { model_name: "a" } }', 'ensemble_scheduling', 'ensembles'],
    [
      'sequence_batching { control_input { name: "START" } }',
      'sequence_batching.control_input',
      'fill these inputs',
    ],
    ['sequence_batching { state { input_name: "a" } }', 'sequence_batching.state', 'carry tensors'],
    ['batch_input { target_name: "x" }', 'batch_input', 'different shapes'],
    ['model_operations { op_library_filename: "a.so" }', 'model_operations', 'custom operators'],
    ['model_repository_agents { agents { name: "checksum" } }', 'model_repository_agents', 'agents'],
    [
      'parameters { key: "intra_op_thread_count" value { string_value: "x" } }',
      "parameters['intra_op_thread_count']",
      "got 'x'",
    ],
    ['version_policy { specific { } }', 'version_policy.specific', 'no version is named'],
    ['version_policy { specific { versions: 0 } }', 'version_policy.specific', 'got 0'],
    ['instance_group { count: -1 }', 'instance_group[0].count', 'got -1'],
    ['model_warmup { batch_size: 0 }', 'model_warmup[0].batch_size', 'got 0'],
    [
      'model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: -1 zero_data: true } } }',
      "model_warmup[0].inputs['x'].dims",
      'without dynamic dimensions',
    ],
    [
      'model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: 1 } } }',
      "model_warmup[0].inputs['x']",
      'expected zero_data',
    ],
    [
      'model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: 1 input_data_file: "../x" } } }',
      "model_warmup[0].inputs['x'].input_data_file",
      'without ..',
    ],
  ])('refuses %s', (text, field, says) => {
    const planned = plan(text);
    const entry = planned.entries.find((one) => one.field === field);
    expect(entry).toMatchObject({ verdict: 'refused', says: expect.stringContaining(says) });
    expect(() => refuseUnservable(planned)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringContaining(`${field}: ${entry?.says}`),
      }),
    );
  });

  it('refuses rows where the model has a fixed number of them, and inputs that nobody mentions', () => {
    const fixed = { inputs: [spec('x', [1, 784]), spec('z', [2])], outputs: [], batchAxis: 'none' as const };
    const found = verdicts('max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 784 }', fixed);
    expect(found.max_batch_size).toContain(
      "refused: expected 0, since dimension 0 of the model's 'x' [1,784]",
    );
    expect(found.input).toContain("refused: the model also takes 'z' FP32 [2]; add it");
  });

  it.each<[string, string, string]>([
    ['response_cache { enable: true }', 'response_cache', 'this version keeps no answers'],
    ['max_batch_size: 0 dynamic_batching { }', 'dynamic_batching', 'no dimension counts rows'],
    ['dynamic_batching { default_priority_level: 1 }', 'dynamic_batching.default_priority_level', 'levels'],
    [
      'dynamic_batching { default_queue_policy { max_queue_size: 0 } }',
      'dynamic_batching.default_queue_policy.max_queue_size',
      'always bounds the queue',
    ],
    ['sequence_batching { direct { } }', 'sequence_batching', 'keeps nothing between requests'],
    ['model_transaction_policy { decoupled: true }', 'model_transaction_policy', 'one answer'],
    ['instance_group { kind: KIND_GPU gpus: [0] }', 'instance_group[0].kind', "'cuda' is not installed"],
    ['instance_group { rate_limiter { priority: 2 } }', 'instance_group[0].rate_limiter', 'no such setting'],
    ['optimization { graph { level: 1 } }', 'optimization.graph', 'ONNX Runtime decides'],
    [
      'optimization { execution_accelerators { cpu_execution_accelerator { name: "openvino" } } }',
      'optimization.execution_accelerators.cpu_execution_accelerator[0]',
      "no provider 'openvino' here",
    ],
    ['parameters { key: "a" value { string_value: "b" } }', "parameters['a']", 'nothing in nimify reads it'],
    ['metric_tags { key: "a" value: "b" }', 'metric_tags', 'labelled'],
    ['model_metrics { }', 'model_metrics', 'fixed buckets'],
    ['cc_model_filenames { key: "7.5" value: "a" }', 'cc_model_filenames', 'one file'],
    ['runtime: "x"', 'runtime', 'one library'],
    ['input { name: "x" dims: 784 optional: true }', 'input[0].optional', 'needs a value'],
    ['input { name: "x" dims: 784 format: FORMAT_NHWC }', 'input[0].format', 'as they come'],
  ])('ignores %s, and says why', (text, field, says) => {
    expect(verdicts(text)[field]).toMatch(`ignored: `);
    expect(verdicts(text)[field]).toContain(says);
  });

  it('uses the GPU, providers and threads where they are there', () => {
    const text =
      'instance_group { kind: KIND_GPU gpus: 1 count: 3 } parameters { key: "intra_op_thread_count" value { string_value: "2" } }';
    expect(plan(text, SIGNATURE, ['cpu', 'cuda']).settings.engine).toEqual({
      instances: 3,
      intraOpThreads: 2,
      providers: [{ name: 'cuda', deviceId: 1 }],
    });
    const accelerated =
      'optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" } } }';
    expect(plan(accelerated, SIGNATURE, ['cpu', 'tensorrt']).settings.engine).toEqual({
      providers: ['tensorrt'],
    });
  });

  it('batches, and lets wait, as asked', () => {
    const text = `max_batch_size: 8 ${IO} dynamic_batching {
      preferred_batch_size: [4, 8] max_queue_delay_microseconds: 1500 preserve_ordering: true
      priority_levels: 3 default_priority_level: 2
      default_queue_policy { max_queue_size: 7 }
      priority_queue_policy { key: 3 value {
        timeout_action: DELAY default_timeout_microseconds: 250 allow_timeout_override: true } } }`;
    expect(plan(text).settings.batching).toEqual({
      maxBatchRows: 8,
      maxDelayMs: 1.5,
      preferredRows: [4, 8],
      preserveOrder: true,
      priorities: { levels: 3, defaultLevel: 2 },
      queue: { maxWaiting: 7, timeoutAction: 'reject', allowTimeoutOverride: false },
      queueByPriority: {
        3: { maxWaiting: 1024, defaultTimeoutMs: 0.25, timeoutAction: 'delay', allowTimeoutOverride: true },
      },
    });
    const told = plan(text).entries.filter(({ field }) => field.startsWith('dynamic_batching'));
    expect(told.map(({ verdict }) => verdict)).toEqual(told.map(() => 'honoured'));
    expect(told).toHaveLength(10);
  });

  it('takes max_batch_size for the bound of a batch, and leaves the rest to be found out', () => {
    expect(plan(`max_batch_size: 8 ${IO}`).settings.batching).toEqual({ maxBatchRows: 8 });
    expect(plan('name: "digits"').settings.batching).toBeUndefined();
  });

  it.each([
    ['preferred_batch_size: 0', 'preferred_batch_size', 'at least 1, got 0'],
    ['priority_levels: 2', 'default_priority_level', 'from 1 to 2, got 0'],
    ['priority_levels: 2 default_priority_level: 3', 'default_priority_level', 'from 1 to 2, got 3'],
    ['priority_levels: 99999 default_priority_level: 3', 'priority_levels', 'at most 1000, got 99999'],
    [
      'priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 5 value { } }',
      "priority_queue_policy['5']",
      'from 1 to 2',
    ],
  ])('refuses %s', (text, field, says) => {
    const verdict = verdicts(`dynamic_batching { ${text} }`)[`dynamic_batching.${field}`];
    expect(verdict).toContain('refused: ');
    expect(verdict).toContain(says);
  });

  it('has a word on every field that is set', () => {
    const text = `name: "digits" platform: "onnxruntime_onnx" backend: "onnxruntime" runtime: "a" version_policy { all {} }
      max_batch_size: 8 ${IO} batch_input {} batch_output {} optimization { priority: PRIORITY_MAX }
      dynamic_batching { } instance_group { } default_model_filename: "m.onnx" cc_model_filenames { } metric_tags { }
      parameters { key: "a" } model_warmup { batch_size: 1 } model_operations { op_library_filename: "a" }
      model_transaction_policy { } model_repository_agents { agents { } } response_cache { } model_metrics { }`;
    const told = new Set(plan(text).entries.map(({ field }) => field.replace(/[.[].*/, '')));
    const set = Object.keys(readModelConfig(text, 'c').config);
    expect(set.filter((field) => !told.has(field))).toEqual([]);
    for (const { at } of plan('name: "digits"').entries) expect(at).toEqual({ line: 1, column: 1 });
  });
});
