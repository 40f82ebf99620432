import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { envNameOf, leavesOf } from '../../../src/base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from '../../../src/base/config/options.ts';
import type { Problem } from '../../../src/base/config/problem.ts';
import { readEnv } from '../../../src/base/config/read-env.ts';
import { readFileSettings } from '../../../src/base/config/read-file.ts';
import { mutated } from '../mutation.ts';
import { checkRefusal, type FuzzTarget, require } from '../target.ts';

const SAMPLE = `# what a user writes
models:
  - digits.onnx
  - path: models/b.onnx
    name: "b"
    timeoutMs: 2s
    engine: {providers: [cuda, {name: cpu}], instances: 2}
defaults: &d
  engine:
    batchAxis: none
server:
  httpPort: 9000
  maxBodyBytes: 64MiB
log: {level: warn, accessShare: 0.01}
`;

const OPTIONS = [...leavesOf(SERVER_OPTIONS), ...leavesOf(MODEL_OPTIONS)];
const WORDS = [
  ...[
    '\n',
    ': ',
    '- ',
    '  ',
    '\t',
    '#',
    '"',
    "'",
    '|\n',
    '>-\n',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '---\n',
    '...\n',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    '? ',
    '%YAML 1.2\n',
    '\\',
    '\\x00',
    '\u0000',
    '\u00ef\u00bb\u00bf',
    '\u00e2\u0080\u00a8',
  ],
  ...[
    'null',
    '~',
    'true',
    '0x1F',
    '1e999',
    '-0',
    '.inf',
    '.nan',
    '64MiB',
    '2s',
    '9007199254740993',
    '__proto__: ',
  ],
  ...[
    '[[[[[[[[[[[[[[[[',
    '{a: {a: {a: ',
    '[*a, *a, *a, *a, *a, *a, *a, *a]',
    ...OPTIONS.map(({ path }) => `${path}: `),
  ],
];

/** nimify.yaml. */
export const configTarget: FuzzTarget = {
  name: 'config',
  inputs: fc.oneof(
    mutated([Buffer.from(SAMPLE), readFileSync('docs/configuration.md')], WORDS),
    fc
      .array(fc.constantFrom(...WORDS), { maxLength: 40 })
      .map((words) => Buffer.from(words.join(''), 'latin1')),
  ),
  async run(input) {
    const problems: Problem[] = [];
    try {
      await readFileSettings(Buffer.from(input).toString(), 'nimify.yaml', problems);
    } catch (thrown) {
      checkRefusal(['CONFIG_INVALID'], thrown);
    }
    for (const { message } of problems) {
      require(/^nimify\.yaml:\d+:\d+: /.test(message), `a message without its place: ${message}`);
      require(message.length < 2000, `a message of ${message.length} characters`);
    }
  },
};

/** Variables: lines of `NAME=value`, as many as there are. */
export const envTarget: FuzzTarget = {
  name: 'env',
  inputs: fc
    .array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(...OPTIONS.flatMap(({ option }) => option.env.map(envNameOf))),
          fc.string({ maxLength: 20 }),
        ),
        fc.oneof(
          fc.constantFrom(
            '',
            '1',
            'true',
            '64MiB',
            '2s',
            'a,b',
            '[1]',
            '-1',
            '1e999',
            'constructor',
            '__proto__',
          ),
          fc.string(),
        ),
      ),
      { maxLength: 8 },
    )
    .map((pairs) => Buffer.from(pairs.map(([name, value]) => `${name}=${value}`).join('\n'))),
  run(input) {
    const lines = Buffer.from(input).toString().split('\n');
    const env = Object.fromEntries(
      lines.map((line) => [line.split('=', 1)[0], line.replace(/^[^=]*=?/, '')]),
    );
    const problems: Problem[] = [];
    for (const [path, { value }] of readEnv(OPTIONS, env, problems)) {
      const kind = OPTIONS.find((leaf) => leaf.path === path)?.option.kind;
      require(kind?.fromValue(value) !== undefined, `${path} is set to ${String(value)}`);
    }
    for (const { message } of problems) require(message !== '', 'a problem without a message');
  },
};
