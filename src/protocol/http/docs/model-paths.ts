import type { ServedModel } from '../../../registry/contract.ts';
import { examplesOf } from './examples.ts';
import type { JsonSchema } from './json-schema.ts';
import {
  columnRequestSchema,
  columnResponseSchema,
  inferRequestSchema,
  inferResponseSchema,
  predictRequestSchema,
  predictResponseSchema,
} from './model-schemas.ts';
import { type Examples, errorResponses, INFERENCE_CODES, jsonContent, jsonResponse } from './responses.ts';

export type PathItems = Readonly<Record<string, object>>;

/** What distinguishes one POST of JSON from another. */
interface Inference {
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly request: JsonSchema;
  readonly requestExamples: Examples;
  readonly response: JsonSchema;
  readonly responseExamples: Examples;
  readonly alsoBinary?: boolean;
}

/**
 * The infer and predict routes of one model. The route without a version belongs to the version that answers it now.
 * @param id unique for the model and version, made of letters, digits and `_`
 */
export function modelPaths(
  served: ServedModel,
  id: string,
  isAnswering: boolean,
  hasSiblings: boolean,
): PathItems {
  const examples = examplesOf(served, false);
  const { name, version } = served;
  const infer = inferencePath({
    operationId: `infer_${id}`,
    tag: name,
    summary: `Infer with ${name} (Open Inference Protocol)`,
    description: 'Tensors may also travel as bytes after the JSON, by the binary tensor data extension.',
    request: inferRequestSchema(served),
    requestExamples: [[name, examples.inferRequest]],
    response: inferResponseSchema(served),
    responseExamples: [[name, examples.inferResponse]],
    alsoBinary: true,
  });
  const predict = inferencePath({
    operationId: `predict_${id}`,
    tag: name,
    summary: `Predict with ${name} (TensorFlow Serving, KServe v1)`,
    request: columnRequestSchema(served),
    requestExamples: [[name, examples.columnRequest]],
    response: columnResponseSchema(served),
    responseExamples: [[name, examples.columnResponse]],
  });
  const segment = encodeURIComponent(name);
  const versioned = `${segment}/versions/${encodeURIComponent(version)}`;
  return {
    ...(isAnswering
      ? { [`/v2/models/${segment}/infer`]: infer, [`/v1/models/${segment}:predict`]: predict }
      : {}),
    ...(hasSiblings
      ? {
          [`/v2/models/${versioned}/infer`]: withId(infer, `infer_${id}_version`),
          [`/v1/models/${versioned}:predict`]: withId(predict, `predict_${id}_version`),
        }
      : {}),
  };
}

/** `/v1/predict` takes every model's body. */
export function simplePath(newest: readonly ServedModel[]): object {
  const named = newest.length > 1;
  const [first] = newest;
  const shown = newest.map((served) => ({ name: served.name, ...examplesOf(served, named) }));
  return inferencePath({
    operationId: 'predict',
    tag: 'simple',
    summary: named ? 'Predict with the model named in the body' : `Predict with ${first?.name ?? 'a model'}`,
    description:
      'Values by input name. Axes of size 1 may be left out: a table column for [N,1], one row for [N,...]. ' +
      'A model with one input also takes its values as `input`. `{"inputs": {...}}` keeps the names of inputs ' +
      'apart from `model`, `version` and `outputs`.',
    request: anyOf(newest.map((served) => predictRequestSchema(served, named))),
    requestExamples: shown.map(({ name, predictRequest }) => [name, predictRequest]),
    response: anyOf(newest.map(predictResponseSchema)),
    responseExamples: shown.map(({ name, predictResponse }) => [name, predictResponse]),
  });
}

function inferencePath(inference: Inference): { readonly post: object } {
  const { operationId, tag, summary, description, request, requestExamples, alsoBinary = false } = inference;
  return {
    post: {
      operationId,
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      parameters: [...INFERENCE_HEADERS, ...(alsoBinary ? BINARY_HEADERS : [])],
      requestBody: {
        required: true,
        content: {
          ...jsonContent(request, requestExamples),
          ...(alsoBinary ? { 'application/octet-stream': {} } : {}),
        },
      },
      responses: {
        200: jsonResponse('The answer.', inference.response, inference.responseExamples),
        ...errorResponses(INFERENCE_CODES),
      },
    },
  };
}

const INFERENCE_HEADERS = [
  {
    name: 'x-request-deadline',
    in: 'header',
    description: 'How long the answer is of use, such as `250ms` or `2s`. Default 30 s.',
    schema: { type: 'string' },
  },
  {
    name: 'x-request-id',
    in: 'header',
    description: 'Comes back with the answer and stands in the log.',
    schema: { type: 'string' },
  },
] as const;

const BINARY_HEADERS = [
  {
    name: 'Inference-Header-Content-Length',
    in: 'header',
    description: 'Length of the JSON part in bytes, where the bytes of tensors follow it.',
    schema: { type: 'integer', minimum: 0 },
  },
] as const;

function withId({ post }: { readonly post: object }, operationId: string): object {
  return { post: { ...post, operationId } };
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  if (schemas.length === 0) return { type: 'object' };
  return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
}
