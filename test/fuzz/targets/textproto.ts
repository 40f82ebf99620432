import fc from 'fast-check';
import {
  modelConfigJson,
  readModelConfig,
  readModelConfigJson,
} from '../../../src/base/triton/read-model-config.ts';
import { mutated } from '../mutation.ts';
import { checkRefusal, type FuzzTarget, require } from '../target.ts';

const SAMPLE = `# what a user writes
name: "digits" platform: 'onnxruntime_onnx'
max_batch_size: 0x10,
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 28 ] reshape < shape: 784 > } ]
output { name: "y", data_type: 13; dims: [ ] label_filename: "a" "b\\n\\x41\\101\\u00e9" }
dynamic_batching { preferred_batch_size: 4 priority_queue_policy { key: 1 value { } } }
parameters: [ { key: "k" value { string_value: "v" } } ]
optimization { graph { level: -1 } } model_metrics { metric_control { histogram_options { buckets: -1.5e3f } } }
`;

const WORDS = [
  ...[
    '{',
    '}',
    '<',
    '>',
    '[',
    ']',
    ':',
    ';',
    ',',
    '/',
    '.',
    '-',
    '#',
    '\n',
    '"',
    "'",
    '\\',
    '\\u',
    '\\U',
    '\\x',
    '\\777',
  ],
  ...[
    'inf',
    'nan',
    '0x',
    '08',
    '1e999',
    '-0',
    '9007199254740993',
    '10f',
    'true',
    'TYPE_FP32',
    '\u0000',
    '\u00ff',
    '\u00ed\u00a0\u0080',
  ],
  ...[
    'key: ',
    'value ',
    '__proto__: 1',
    'constructor { }',
    '[a.b/c.d] { }',
    'input { input { ',
    '{{{{{{{{{{{{{{{{',
  ],
];

/** config.pbtxt. */
export const textprotoTarget: FuzzTarget = {
  name: 'textproto',
  inputs: fc.oneof(
    mutated([Buffer.from(SAMPLE)], WORDS),
    fc
      .array(fc.constantFrom(...WORDS), { maxLength: 40 })
      .map((words) => Buffer.from(words.join(''), 'latin1')),
  ),
  run(input) {
    try {
      const { config } = readModelConfig(Buffer.from(input).toString(), 'config.pbtxt');
      const json = JSON.stringify(modelConfigJson(config));
      const again = JSON.stringify(modelConfigJson(readModelConfigJson(json, 'json').config));
      require(again === json, `what is read is not what was written: ${json} ${again}`);
    } catch (thrown) {
      checkRefusal(['INVALID_INPUT'], thrown);
      const { message } = thrown as Error;
      require(/(^|\n- )config\.pbtxt:\d+:\d+: /.test(message), `a message without its place: ${message}`);
      require(message.length < 5000, `a message of ${message.length} characters`);
    }
  },
};
