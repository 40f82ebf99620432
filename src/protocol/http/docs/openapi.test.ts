import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { toBytesData } from '../../../base/tensor/bytes.ts';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import { createCircuit } from '../../../policy/breaker/circuit.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import {
  createServed,
  flowers,
  identity,
  type ServedHere,
  serveModels,
  spec,
  table,
} from '../v1/served-fakes.ts';
import { buildOpenApi } from './openapi.ts';

interface Media {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, Media> }
  >;
}

type Paths = Record<string, Record<string, unknown>>;

const OPTIONS = { version: '1.2.3' };

let here: ServedHere | undefined;

afterEach(() => here?.close());

const optionalInput = { ...spec('bias', 'FP32', [1]), optional: true };

/** One of every kind that the document writes differently. */
const MODELS: readonly ServedModel[] = [
  createServed({
    name: 'any',
    signature: {
      inputs: [{ ...spec('x', 'FP32', [-1]), anyRank: true }, optionalInput],
      outputs: [{ ...spec('x', 'FP32', [-1]), anyRank: true }],
      batchAxis: 'none',
    },
    example: {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(0.1, Number.NaN) }],
      outputs: [{ name: 'x', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(0.1, Number.NaN) }],
      origin: 'file',
    },
  }),
  table(),
  identity('flags/a b', spec('on', 'BOOL', [2]), {
    name: 'on',
    datatype: 'BOOL',
    shape: [2],
    data: Uint8Array.of(1, 0),
  }),
  identity('halves', spec('h', 'FP16', [-1]), {
    name: 'h',
    datatype: 'FP16',
    shape: [1],
    data: Uint16Array.of(0x3c00),
  }),
  flowers(),
  identity('model', spec('model', 'BYTES', [-1]), {
    name: 'model',
    datatype: 'BYTES',
    shape: [1],
    data: toBytesData(['é']),
  }),
  identity('scalar', spec('n', 'INT64', []), {
    name: 'n',
    datatype: 'INT64',
    shape: [],
    data: BigInt64Array.of(-7n),
  }),
];

function operationsOf(
  models: readonly ServedModel[],
): [path: string, method: string, operation: Operation][] {
  const { paths } = buildOpenApi(models, OPTIONS) as unknown as { paths: Paths };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method === 'get' || method === 'post')
      .map(([method, operation]): [string, string, Operation] => [path, method, operation as Operation]),
  );
}

/** JSON Schema 2020-12, strictly; formats are notes here, and `x-` keys are OpenAPI's to allow. */
function createAjv(models: readonly ServedModel[]) {
  const ajv = new Ajv2020({
    validateFormats: false,
    allErrors: true,
    strictTuples: false,
    strictRequired: false,
  });
  for (const keyword of ['x-shape', 'x-datatype']) ajv.addKeyword(keyword);
  ajv.addSchema({ $id: 'doc', $defs: buildOpenApi(models, OPTIONS).components.schemas });
  return (schema: object) => {
    const { $ref } = schema as { $ref?: string };
    return ajv.compile(
      $ref === undefined ? schema : { $ref: $ref.replace('#/components/schemas', 'doc#/$defs') },
    );
  };
}

function examplesOf({ example, examples = {} }: Media): readonly unknown[] {
  const several = Object.values(examples).map(({ value }) => value);
  return example === undefined ? several : [example];
}

function mediaOf(operation: Operation): readonly Media[] {
  const bodies = [operation.requestBody, ...Object.values(operation.responses)];
  return bodies.flatMap((body) => Object.values(body?.content ?? {}));
}

/** Does it run a model on a body of which an example can be made up? */
function isInference({ operationId }: Operation): boolean {
  return /^(infer|predict)/.test(operationId);
}

describe('buildOpenApi', () => {
  it('has unique operation ids, known tags, and no path parameter without a declaration', () => {
    const { tags } = buildOpenApi(MODELS, OPTIONS);
    const { paths } = buildOpenApi(MODELS, OPTIONS) as unknown as { paths: Paths };
    const operations = operationsOf(MODELS);
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^\w+$/.test(id))).toBe(true);
    expect(new Set(tags.map(({ name }) => name)).size).toBe(tags.length);
    for (const [path, , operation] of operations) {
      for (const tag of operation.tags) expect(tags.map(({ name }) => name)).toContain(tag);
      const parameters = (paths[path]?.parameters ?? []) as { name: string; in: string }[];
      const declared = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      expect(declared, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      expect(Object.keys(operation.responses), path).toContain('200');
      for (const response of Object.values(operation.responses)) expect(response.description).not.toBe('');
    }
  });

  it('is JSON, with schemas that compile', () => {
    const document = buildOpenApi(MODELS, OPTIONS);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(document.openapi).toBe('3.1.0');
    const compile = createAjv(MODELS);
    for (const [path, , operation] of operationsOf(MODELS)) {
      const schemas = [...mediaOf(operation), ...(operation.parameters ?? [])].flatMap(
        ({ schema }) => schema ?? [],
      );
      for (const schema of schemas) expect(() => compile(schema), path).not.toThrow();
    }
  });

  it('has examples that fit their schemas, for every model on every infer and predict route', () => {
    const compile = createAjv(MODELS);
    let count = 0;
    for (const [path, , operation] of operationsOf(MODELS)) {
      for (const media of mediaOf(operation)) {
        const shown = examplesOf(media);
        if (shown.length === 0) continue;
        const validate = compile(media.schema!);
        for (const example of shown) {
          expect(validate(example), `${path}: ${JSON.stringify(validate.errors)}`).toBe(true);
        }
        count += shown.length;
      }
      expect(mediaOf(operation).flatMap(examplesOf).length > 0, path).toBe(isInference(operation));
    }
    expect(count).toBe(3 * 2 * MODELS.length);
  });

  it('has examples that run, with answers as its schemas and examples say', async () => {
    here = await serveModels(MODELS);
    const compile = createAjv(MODELS);
    for (const [path, , operation] of operationsOf(MODELS)) {
      if (!isInference(operation)) continue;
      const requests = examplesOf(operation.requestBody?.content['application/json'] ?? {});
      const answer = operation.responses['200']?.content?.['application/json'];
      const answers = examplesOf(answer!);
      const validate = compile(answer!.schema!);
      expect(requests.length).toBe(answers.length);
      for (const [index, request] of requests.entries()) {
        const { status, body, text } = await here.post(path, request);
        expect(status, `${path}: ${text}`).toBe(200);
        expect(validate(body), `${path}: ${JSON.stringify(validate.errors)} ${text}`).toBe(true);
        expect(body, path).toMatchObject(answers[index] as object);
      }
    }
  });

  it('lists every route that answers, and all that it lists answer', async () => {
    const breaker = createCircuit(createFakeClock());
    here = await serveModels(MODELS.map((served) => ({ ...served, breaker })));
    for (const [path, method] of operationsOf(MODELS)) {
      if (method !== 'get') continue;
      const url = here.url + path.replace('{model}', 'iris').replace('{version}', '1');
      expect((await fetch(url)).status, path).toBe(200);
    }
  });

  it('refuses what the models refuse', () => {
    const compile = createAjv(MODELS);
    const operations = operationsOf(MODELS);
    const schemaOf = (path: string) =>
      operations.find(([one]) => one === path)?.[2].requestBody?.content['application/json']?.schema ?? {};
    const infer = compile(schemaOf('/v2/models/iris/infer'));
    const tensor = { name: 'X', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] };
    expect(infer({ inputs: [tensor] })).toBe(true);
    expect(infer({ inputs: [{ ...tensor, data: [[1, 2, 3, 4]] }] })).toBe(true);
    expect(infer({ inputs: [{ ...tensor, name: 'Y' }] })).toBe(false);
    expect(infer({ inputs: [{ ...tensor, datatype: 'INT64' }] })).toBe(false);
    expect(infer({ inputs: [{ ...tensor, shape: [1, 5] }] })).toBe(false);
    expect(infer({ inputs: [{ ...tensor, shape: [4] }] })).toBe(false);
    expect(infer({ inputs: [{ ...tensor, data: ['a'] }] })).toBe(false);
    expect(infer({ inputs: [tensor, tensor] })).toBe(false);
    const predict = compile(schemaOf('/v1/predict'));
    expect(predict({ model: 'iris', X: [[1, 2, 3, 4]] })).toBe(true);
    expect(predict({ X: [[1, 2, 3, 4]] })).toBe(false);
    expect(predict({ model: 'iris', X: [[1, 2, 3]] })).toBe(false);
  });

  it('tells the error codes of each status', () => {
    const [, , infer] = operationsOf(MODELS).find(([path]) => path === '/v2/models/iris/infer')!;
    expect(Object.keys(infer.responses)).toEqual([
      '200',
      '400',
      '404',
      '408',
      '413',
      '415',
      '429',
      '499',
      '500',
      '501',
      '503',
      '504',
    ]);
    expect(infer.responses['503']?.description).toMatch(/`MODEL_NOT_READY`.*`ENGINE_CRASHED`/s);
  });

  it('gives versions paths of their own where there are several', () => {
    const paths = operationsOf([
      createServed({ name: 'm', version: '1', signature: flowers().model.signature }),
      createServed({ name: 'm', version: '2', signature: flowers().model.signature }),
    ]).map(([path]) => path);
    expect(paths.filter((path) => /^\/v2\/models\/m\/.*infer$/.test(path))).toEqual([
      '/v2/models/m/versions/1/infer',
      '/v2/models/m/infer',
      '/v2/models/m/versions/2/infer',
    ]);
  });

  it('leaves out examples that nobody would read, or that JSON readers would bend', () => {
    const long = identity('long', spec('x', 'FP32', [-1]), {
      name: 'x',
      datatype: 'FP32',
      shape: [5000],
      data: new Float32Array(5000),
    });
    const large = identity('large', spec('n', 'INT64', [1]), {
      name: 'n',
      datatype: 'INT64',
      shape: [1],
      data: BigInt64Array.of(2n ** 60n),
    });
    for (const [, , operation] of operationsOf([long, large])) {
      expect(mediaOf(operation).flatMap(examplesOf)).toEqual([]);
    }
  });

  it('is a document without models', () => {
    const document = buildOpenApi([], { version: '1', serverUrl: 'http://127.0.0.1:8000' });
    expect(document.servers).toEqual([{ url: 'http://127.0.0.1:8000' }]);
    expect(Object.keys(document.paths)).toContain('/v1/predict');
  });
});
