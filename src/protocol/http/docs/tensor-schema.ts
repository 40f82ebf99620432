import type { Datatype } from '../../../base/tensor/datatype.ts';
import { describeShape } from '../../../model/fit-shape.ts';
import type { TensorSpec } from '../../../model/signature.ts';
import type { JsonSchema } from './json-schema.ts';

/** One element as JSON writes it. What is not finite travels as a string, for which JSON has no number. */
const FLOAT: JsonSchema = { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };

const ELEMENTS: Readonly<Record<Datatype, JsonSchema>> = {
  BOOL: { type: 'boolean' },
  UINT8: { type: 'integer', format: 'uint8', minimum: 0, maximum: 255 },
  UINT16: { type: 'integer', format: 'uint16', minimum: 0, maximum: 65_535 },
  UINT32: { type: 'integer', format: 'uint32', minimum: 0, maximum: 4_294_967_295 },
  UINT64: { type: 'integer', format: 'uint64', minimum: 0 },
  INT8: { type: 'integer', format: 'int8', minimum: -128, maximum: 127 },
  INT16: { type: 'integer', format: 'int16', minimum: -32_768, maximum: 32_767 },
  INT32: { type: 'integer', format: 'int32', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  INT64: { type: 'integer', format: 'int64' },
  FP16: FLOAT,
  BF16: FLOAT,
  FP32: FLOAT,
  FP64: FLOAT,
  BYTES: { type: 'string' },
};

export function elementSchema(datatype: Datatype): JsonSchema {
  return ELEMENTS[datatype];
}

/** Nested arrays, one level a dimension, as long as the dimension where it is fixed. */
export function nestedSchema(spec: TensorSpec): JsonSchema {
  const element = elementSchema(spec.datatype);
  const shape = shapeOf(spec);
  const about = { 'x-datatype': spec.datatype, description: `${spec.datatype} ${describeShape(spec)}` };
  if (spec.anyRank === true) return { ...about, description: `${spec.datatype}, nested to any depth` };
  const nested = spec.shape.reduceRight<JsonSchema>(
    (items, dimension) => ({
      type: 'array',
      ...(dimension === -1 ? {} : { minItems: dimension, maxItems: dimension }),
      items,
    }),
    element,
  );
  return { ...nested, ...about, 'x-shape': shape };
}

/** All elements in one array, row-major; its length is only known where every dimension is fixed. */
export function flatSchema(spec: TensorSpec): JsonSchema {
  const count = spec.shape.reduce((product, dimension) => product * dimension, 1);
  const isFixed = spec.anyRank !== true && !spec.shape.includes(-1);
  return {
    type: 'array',
    ...(isFixed ? { minItems: count, maxItems: count } : {}),
    items: elementSchema(spec.datatype),
    description: 'Row-major.',
    'x-datatype': spec.datatype,
    'x-shape': shapeOf(spec),
  };
}

/** The `shape` member of an Open Inference Protocol tensor. */
export function shapeSchema(spec: TensorSpec): JsonSchema {
  const dimension: JsonSchema = { type: 'integer', minimum: 0 };
  if (spec.anyRank === true || spec.shape.length === 0) {
    return { type: 'array', items: dimension, ...(spec.anyRank === true ? {} : { maxItems: 0 }) };
  }
  const rank = spec.shape.length;
  return {
    type: 'array',
    minItems: rank,
    maxItems: rank,
    prefixItems: spec.shape.map((size, axis) =>
      size === -1 ? { ...dimension, description: spec.dimensionNames[axis] ?? 'any size' } : { const: size },
    ),
  };
}

/** Dimensions with symbolic names, or `?`, where they are dynamic. */
function shapeOf(spec: TensorSpec): readonly (number | string)[] {
  if (spec.anyRank === true) return ['...'];
  return spec.shape.map((size, axis) => (size === -1 ? (spec.dimensionNames[axis] ?? '?') : size));
}
