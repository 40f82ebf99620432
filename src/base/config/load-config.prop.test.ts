import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { NimifyError } from '../errors/nimify-error.ts';
import { buildConfigSchema } from './json-schema.ts';
import { isOption, leavesOf, type OptionTree } from './option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from './options.ts';
import type { Problem } from './problem.ts';
import { readFileSettings } from './read-file.ts';

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

/** Everything that is wrong, or the NimifyError that was thrown; anything else fails the test. */
async function faultsOf(text: string): Promise<readonly Problem[] | NimifyError> {
  const problems: Problem[] = [];
  try {
    await readFileSettings(text, 'nimify.yaml', problems);
    return problems;
  } catch (thrown) {
    if (!(thrown instanceof NimifyError)) throw thrown;
    return thrown;
  }
}

/** Values that options take or nearly take. */
const scalar = fc.oneof(
  fc.constantFrom(0, 1, -1, 1.5, 8000, 65_536, 2 ** 31, '64MiB', '2s', '0s', '1.5 GB', '', 'auto', 'none'),
  fc.constantFrom('info', 'json', null, true, false, [], ['cpu'], [{ name: 'cuda', deviceId: 1 }], {}, [{}]),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
);

function treeArbitrary(tree: OptionTree): fc.Arbitrary<unknown> {
  const shape = Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [key, isOption(node) ? scalar : treeArbitrary(node)]),
  );
  return fc.record(shape, { requiredKeys: [] });
}

describe('nimify.yaml', () => {
  it('is read without a fault', async () => {
    expect(await faultsOf(SAMPLE)).toEqual([]);
  });

  it('whatever the text: an answer, or an error that names the place', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 200 }),
          fc
            .array(fc.constantFrom(...'{}[]:,&*!|>?-#\'"%@ \n\t', 'server', 'models', 'a', '1'), {
              maxLength: 60,
            })
            .map((parts) => parts.join('')),
          fc
            .tuple(fc.nat(SAMPLE.length), fc.nat(8), fc.string({ maxLength: 8 }))
            .map(([at, cut, put]) => SAMPLE.slice(0, at) + put + SAMPLE.slice(at + cut)),
        ),
        async (text) => {
          const faults = await faultsOf(text);
          const messages =
            faults instanceof NimifyError ? [faults.message] : faults.map(({ message }) => message);
          for (const message of messages) expect(message).toMatch(/^nimify\.yaml:\d+:\d+: /);
        },
      ),
      { numRuns: 500 },
    ));

  it('is taken by the schema exactly where nimify takes it', () => {
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(buildConfigSchema());
    const withSettings = treeArbitrary(MODEL_OPTIONS).map((settings) => ({
      path: 'a',
      ...(settings as object),
    }));
    const documents = fc.record(
      {
        models: fc.array(
          fc.oneof(fc.constantFrom<unknown>('a', '', 5, {}, { path: 'a', name: '' }), withSettings),
          {
            maxLength: 2,
          },
        ),
        defaults: treeArbitrary(MODEL_OPTIONS),
        ...Object.fromEntries(
          Object.entries(SERVER_OPTIONS).map(([key, tree]) => [key, treeArbitrary(tree)]),
        ),
      },
      { requiredKeys: [] },
    );
    return fc.assert(
      fc.asyncProperty(documents, async (document) => {
        const faults = await faultsOf(stringify(document));
        const isTaken = Array.isArray(faults) && faults.length === 0;
        const isValid = validate(document);
        // The schema knows the form of '0s' and '999999999TiB', not their bounds.
        const isBoundOnly =
          !isTaken && Array.isArray(faults) && faults.every(({ got }) => typeof got === 'string');
        if (!isBoundOnly) expect({ isValid, faults }).toEqual({ isValid: isTaken, faults });
      }),
      { numRuns: 300 },
    );
  });

  it('gives each option a default that the option itself takes', () => {
    for (const { path, option } of [...leavesOf(SERVER_OPTIONS), ...leavesOf(MODEL_OPTIONS)]) {
      if (option.default !== undefined) {
        expect({ path, value: option.kind.fromValue(option.default) }).toEqual({
          path,
          value: option.default,
        });
      }
    }
  });
});
