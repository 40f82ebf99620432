import type { TensorSpec } from '../../../model/signature.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import { isReservedMember } from '../v1/simple-request.ts';
import type { JsonSchema } from './json-schema.ts';
import { flatSchema, nestedSchema, shapeSchema } from './tensor-schema.ts';

const PARAMETERS: JsonSchema = {
  type: 'object',
  additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
};

const OUTPUT_PARAMETERS: JsonSchema = {
  ...PARAMETERS,
  description:
    '`classification`: the best so many classes as texts `score:index:label` instead of the output; `binary_data`: its bytes after the JSON.',
};

export function inferRequestSchema({ model }: ServedModel): JsonSchema {
  const { inputs, outputs } = model.signature;
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string', description: 'Echoed in the answer.' },
      parameters: {
        ...PARAMETERS,
        description:
          '`timeout`: microseconds until the answer is of no use; `priority`: 1 is the most urgent.',
      },
      inputs: {
        type: 'array',
        minItems: requiredOf(inputs).length,
        maxItems: inputs.length,
        items: oneOf(inputs.map((spec) => tensorSchema(spec))),
      },
      outputs: {
        type: 'array',
        description: 'The wanted outputs. Default: all.',
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { enum: outputs.map((spec) => spec.name) }, parameters: OUTPUT_PARAMETERS },
        },
      },
    },
  };
}

export function inferResponseSchema({ name, model }: ServedModel): JsonSchema {
  return {
    type: 'object',
    required: ['model_name', 'outputs'],
    properties: {
      model_name: { const: name },
      model_version: { type: 'string' },
      id: { type: 'string' },
      parameters: PARAMETERS,
      outputs: { type: 'array', items: oneOf(model.signature.outputs.map((spec) => tensorSchema(spec))) },
    },
  };
}

/** @param named whether the `model` member is needed */
export function predictRequestSchema(served: ServedModel, named: boolean): JsonSchema {
  const { signature } = served.model;
  const outputs: JsonSchema = {
    type: 'array',
    items: { enum: signature.outputs.map((spec) => spec.name) },
    description: 'The wanted outputs. Default: all.',
  };
  const controls = { model: { const: served.name }, version: { type: 'string' }, outputs };
  const collides = signature.inputs.some(({ name }) => isReservedMember(name));
  const values = byName(signature.inputs);
  const named_ = named ? ['model'] : [];
  if (collides) {
    return {
      type: 'object',
      required: [...named_, 'inputs'],
      properties: { ...controls, inputs: values },
      additionalProperties: false,
    };
  }
  return {
    ...values,
    required: [...named_, ...(values.required ?? [])],
    properties: { ...controls, ...values.properties },
  };
}

export function predictResponseSchema({ name, model, labels }: ServedModel): JsonSchema {
  const { outputs } = model.signature;
  const labelled = Object.keys(labels).filter((output) => outputs.some((spec) => spec.name === output));
  return {
    type: 'object',
    required: ['model', 'version', 'outputs'],
    properties: {
      model: { const: name },
      version: { type: 'string' },
      outputs: { ...byName(outputs), required: [] },
      ...(labelled.length === 0
        ? {}
        : {
            labels: {
              type: 'object',
              description: 'By output: the best class names of each row, or the class name of each row.',
              properties: Object.fromEntries(labelled.map((output) => [output, LABELS])),
            },
          }),
    },
  };
}

export function columnRequestSchema({ model }: ServedModel): JsonSchema {
  const { inputs } = model.signature;
  const values = [byName(inputs), ...(inputs.length === 1 ? [nestedSchema(inputs[0]!)] : [])];
  return {
    type: 'object',
    description:
      '`inputs` holds whole inputs (columns). `instances` lists rows instead: values, or objects of values by input name.',
    properties: {
      signature_name: { const: 'serving_default' },
      inputs: anyOf(values),
      instances: { type: 'array' },
    },
    oneOf: [{ required: ['inputs'] }, { required: ['instances'] }],
  };
}

export function columnResponseSchema({ model }: ServedModel): JsonSchema {
  const { outputs } = model.signature;
  const value = outputs.length === 1 ? nestedSchema(outputs[0]!) : byName(outputs);
  return {
    type: 'object',
    description: '`outputs` answers `inputs`, `predictions` (a list of rows) answers `instances`.',
    properties: { outputs: value, predictions: { type: 'array' } },
    oneOf: [{ required: ['outputs'] }, { required: ['predictions'] }],
  };
}

const LABELS: JsonSchema = {
  type: 'array',
  items: {
    anyOf: [
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      {
        type: 'array',
        items: {
          type: 'object',
          required: ['label', 'score'],
          properties: {
            label: { type: 'string' },
            score: { anyOf: [{ type: 'number' }, { type: 'null' }] },
          },
        },
      },
    ],
  },
};

function tensorSchema(spec: TensorSpec): JsonSchema {
  const forms = spec.shape.length === 1 || spec.anyRank === true ? [] : [nestedSchema(spec)];
  return {
    type: 'object',
    required: ['name', 'datatype', 'shape', 'data'],
    properties: {
      name: { const: spec.name },
      datatype: { const: spec.datatype },
      shape: shapeSchema(spec),
      data: anyOf([flatSchema(spec), ...forms]),
      parameters: PARAMETERS,
    },
  };
}

function byName(specs: readonly TensorSpec[]): JsonSchema {
  return {
    type: 'object',
    required: requiredOf(specs).map((spec) => spec.name),
    properties: Object.fromEntries(specs.map((spec) => [spec.name, nestedSchema(spec)])),
    additionalProperties: false,
  };
}

function requiredOf(specs: readonly TensorSpec[]): readonly TensorSpec[] {
  return specs.filter((spec) => spec.optional !== true);
}

function oneOf(schemas: readonly JsonSchema[]): JsonSchema {
  return schemas.length === 1 ? schemas[0]! : { oneOf: schemas };
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  return schemas.length === 1 ? schemas[0]! : { anyOf: schemas };
}
