import { describe, expect, it } from 'vitest';
import { modelConfigJson, readModelConfig, readModelConfigJson } from './read-model-config.ts';

const TEXT = `
name: "digits"  # the folder's
backend: "onnxruntime"
max_batch_size: 8
input [
  { name: "x" data_type: TYPE_FP32 dims: [ 1, 28, 28 ] reshape { shape: [ 784 ] } },
  { name: "scale", data_type: TYPE_FP32; dims: 1; optional: true }
]
output { name: "label" data_type: TYPE_STRING dims: -1 label_filename: "labels.txt" }
version_policy: { specific { versions: [1, 0x3] } }
instance_group [ { count: 2 kind: KIND_CPU } ]
dynamic_batching {
  preferred_batch_size: 4
  preferred_batch_size: [ 8 ]
  max_queue_delay_microseconds: 100
  priority_queue_policy { key: 1 value { timeout_action: REJECT max_queue_size: 7 } }
}
parameters { key: "intra_op_thread_count" value { string_value: "1" } }
parameters: [ { key: "a" value: < string_value: "b" > } ]
`;

describe('readModelConfig', () => {
  it('gives every field its type', () => {
    const { config } = readModelConfig(TEXT, 'config.pbtxt');
    expect(config).toMatchObject({
      name: 'digits',
      max_batch_size: 8,
      input: [
        { name: 'x', data_type: 'TYPE_FP32', dims: [1, 28, 28], reshape: { shape: [784] } },
        { name: 'scale', dims: [1], optional: true },
      ],
      output: [{ dims: [-1], label_filename: 'labels.txt' }],
      version_policy: { specific: { versions: [1, 3] } },
      dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 100 },
    });
    expect(config.dynamic_batching?.priority_queue_policy?.get('1')).toEqual({
      timeout_action: 'REJECT',
      max_queue_size: 7,
    });
    expect([...(config.parameters ?? [])]).toEqual([
      ['intra_op_thread_count', { string_value: '1' }],
      ['a', { string_value: 'b' }],
    ]);
  });

  it('knows where each field stands', () => {
    const { places } = readModelConfig(TEXT, 'config.pbtxt');
    expect(places.get('max_batch_size')).toEqual({ line: 4, column: 1 });
    expect(places.get('input[1]')).toEqual({ line: 7, column: 3 });
    expect(places.get('input[1].dims')).toEqual({ line: 7, column: 42 });
    expect(places.get("parameters['a'].value")).toEqual({ line: 19, column: 26 });
  });

  it.each([
    ['max_batchsize: 8', "1:1: max_batchsize: ModelConfig has no such field; did you mean 'max_batch_size'?"],
    ['input { data_type: FP32 }', '1:20: input[0].data_type: expected one of TYPE_INVALID'],
    ['input { data_type: FP32 }', 'did you mean TYPE_FP32?, got FP32'],
    [
      'max_batch_size: "8"',
      '1:17: max_batch_size: expected a whole number from -2147483648 to 2147483647, got "8"',
    ],
    ['max_batch_size: 2147483648', 'got 2147483648'],
    ['max_batch_size: 1.0', 'got 1.0'],
    ['max_batch_size: [1]', 'expected a number, and one only, got a list'],
    ['max_batch_size: 1 max_batch_size: 2', '1:19: max_batch_size: this field is set twice; keep one'],
    ['name: onnx', '1:7: name: expected a text between quotes, got onnx'],
    [String.raw`name: "\xff"`, 'expected a text in UTF-8, but its escapes make none'],
    ['version_policy { latest {} all {} }', '1:28: version_policy.all: latest is set too'],
    ['dynamic_batching {} ensemble_scheduling {}', 'ensemble_scheduling: dynamic_batching is set too'],
    ['[com.example.x]: 1', '1:1: [com.example.x] is an extension, and ModelConfig has none'],
    ['[type.googleapis.com/a.B] {}', 'is an expanded Any value'],
    ['response_cache: true', 'expected a message in { } (ModelResponseCache), got true'],
    ['response_cache { enable: maybe }', 'expected true or false, got maybe'],
    ['dynamic_batching { max_queue_delay_microseconds: -0 }', 'expected a whole number from 0 to'],
    ['parameters: 1', 'expected an entry { key: ... value: ... }, got 1'],
    [
      'parameters { key: "a" val { } }',
      "parameters['a'].val: an entry has no such field; did you mean 'value'?",
    ],
  ])('refuses %s', (text, says) => {
    expect(() => readModelConfig(text, 'm/config.pbtxt')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(says) }),
    );
  });

  it('tells of everything that is wrong at once', () => {
    expect(() => readModelConfig('nme: "a"\nmax_batch_size: x\n', 'c')).toThrow(
      /^c has 2 faults:\n- c:1:1: nme: .* did you mean 'name'\?\n- c:2:17: max_batch_size: /,
    );
  });

  it.each([
    ['0.5', 0.5],
    ['.5f', 0.5],
    ['1', 1],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['nan', Number.NaN],
    ['-1e400', Number.NEGATIVE_INFINITY],
  ])('reads the bucket %s', (text, expected) => {
    const { config } = readModelConfig(
      `model_metrics { metric_control { histogram_options { buckets: ${text} } } }`,
      'c',
    );
    expect(config.model_metrics?.metric_control?.[0]?.histogram_options?.buckets).toEqual([expected]);
  });
});

describe('a configuration as JSON', () => {
  it('comes back the same', () => {
    const { config } = readModelConfig(TEXT, 'c');
    const json = JSON.stringify(modelConfigJson(config));
    const again = readModelConfigJson(json, 'request').config;
    expect(modelConfigJson(again)).toEqual(modelConfigJson(config));
    expect(JSON.parse(json)).toMatchObject({
      name: 'digits',
      platform: '',
      input: [{ dims: [1, 28, 28], allow_ragged_batch: false, format: 'FORMAT_NONE' }, {}],
      parameters: { a: { string_value: 'b' } },
      model_warmup: [],
    });
    expect(JSON.parse(json)).not.toHaveProperty('ensemble_scheduling');
  });

  it('may have names in camelCase, integers as text and enums as numbers', () => {
    const json = '{"maxBatchSize": "8", "input": [{"dataType": 11, "dims": ["3"]}], "name": null}';
    expect(readModelConfigJson(json, 'request').config).toEqual({
      max_batch_size: 8,
      input: [{ data_type: 'TYPE_FP32', dims: [3] }],
    });
  });

  it.each([
    ['{', 'request: expected a model configuration as JSON'],
    ['[]', 'request: expected an object, got []'],
    ['{"maxBatch": 1}', "request.maxBatch: ModelConfig has no such field; did you mean 'max_batch_size'?"],
    ['{"max_batch_size": 1.5}', 'request.max_batch_size: expected a whole number'],
    ['{"max_batch_size": true}', 'got true'],
    ['{"max_batch_size": 1, "maxBatchSize": 1}', 'request.maxBatchSize: this field is set twice'],
    ['{"input": {}}', 'request.input: expected a list, got {}'],
    ['{"input": [{"data_type": "FP32"}]}', 'request.input[0].data_type: expected one of'],
    ['{"version_policy": {"all": {}, "latest": {}}}', 'request.version_policy.latest: all is set too'],
    ['{"parameters": {"a": 1}}', "request.parameters['a']: expected an object, got 1"],
  ])('is refused where it is %s', (json, says) => {
    expect(() => readModelConfigJson(json, 'request')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(says) }),
    );
  });
});
