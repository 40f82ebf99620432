import { invalidInput } from '../errors/nimify-error.ts';
import { elementTypeOf } from './element-type.ts';
import { LIMITS } from './limits.ts';
import {
  compositeType,
  type RawDimension,
  type RawType,
  type RawValue,
  tensorType,
  UNKNOWN_TYPE,
} from './raw-model.ts';
import type { Span, WireField, WireReader } from './wire-reader.ts';

/** Field numbers of ValueInfoProto, TypeProto and TensorShapeProto (onnx.proto, IR version 14). */
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1, sequence: 4, map: 5, opaque: 7, sparse: 8, optional: 9 } as const;
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const MAP = { key: 1, value: 2 } as const;
/** Sequence and Optional alike. */
const WRAPPER = { element: 1 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1, name: 2 } as const;

/** A ValueInfoProto: an input or output of a graph. */
export async function readValue(reader: WireReader, at: Span): Promise<RawValue> {
  let name = '';
  let type = UNKNOWN_TYPE;
  await reader.message(at, (field) => {
    if (field.number === VALUE.name) {
      return reader.text(field, (text) => {
        name = text;
      });
    }
    if (field.number === VALUE.type) {
      return readType(reader, field).then((read) => {
        type = read;
      });
    }
    return undefined;
  });
  return { name, type };
}

async function readType(reader: WireReader, at: Span): Promise<RawType> {
  let type = UNKNOWN_TYPE;
  await reader.message(at, (field) => {
    const pending = readTypeOption(reader, field);
    return pending?.then((read) => {
      type = read;
    });
  });
  return type;
}

/** One option of the union in TypeProto. */
function readTypeOption(reader: WireReader, field: WireField): Promise<RawType> | undefined {
  switch (field.number) {
    case TYPE.tensor:
      return readTensorType(reader, field, 'tensor');
    case TYPE.sparse:
      return readTensorType(reader, field, 'sparse_tensor');
    case TYPE.sequence:
      return readWrapper(reader, field, 'sequence');
    case TYPE.optional:
      return readWrapper(reader, field, 'optional');
    case TYPE.map:
      return readMap(reader, field);
    case TYPE.opaque:
      return Promise.resolve({ ...UNKNOWN_TYPE, text: 'opaque' });
    default:
      return undefined;
  }
}

async function readTensorType(
  reader: WireReader,
  type: Span,
  kind: 'tensor' | 'sparse_tensor',
): Promise<RawType> {
  let elementType = 0;
  let dims: RawDimension[] | undefined;
  await reader.message(type, (field) => {
    if (field.number === TENSOR_TYPE.elementType) elementType = field.value;
    if (field.number !== TENSOR_TYPE.shape) return undefined;
    return readShape(reader, field).then((read) => {
      dims = read;
    });
  });
  return tensorType(kind, elementType, dims);
}

async function readShape(reader: WireReader, shape: Span): Promise<RawDimension[]> {
  const dims: RawDimension[] = [];
  await reader.message(shape, (field) => {
    if (field.number !== SHAPE.dimension) return undefined;
    if (dims.length >= LIMITS.rank) {
      throw invalidInput(
        `the ONNX file is damaged: a shape at byte ${shape.start} has more than ${LIMITS.rank} dimensions`,
      );
    }
    return readDimension(reader, field).then((dim) => {
      dims.push(dim);
    });
  });
  return dims;
}

async function readDimension(reader: WireReader, dimension: Span): Promise<RawDimension> {
  let dim: RawDimension;
  await reader.message(dimension, (field) => {
    if (field.number === DIMENSION.value) dim = field.value;
    if (field.number !== DIMENSION.name) return undefined;
    return reader.text(field, (text) => {
      dim = text;
    });
  });
  return dim;
}

async function readWrapper(
  reader: WireReader,
  wrapper: Span,
  kind: 'sequence' | 'optional',
): Promise<RawType> {
  let element = UNKNOWN_TYPE;
  await reader.message(wrapper, (field) => {
    if (field.number !== WRAPPER.element) return undefined;
    return readType(reader, field).then((read) => {
      element = read;
    });
  });
  return compositeType(kind, [element.text]);
}

async function readMap(reader: WireReader, map: Span): Promise<RawType> {
  let key = 0;
  let value = UNKNOWN_TYPE;
  await reader.message(map, (field) => {
    if (field.number === MAP.key) key = field.value;
    if (field.number !== MAP.value) return undefined;
    return readType(reader, field).then((read) => {
      value = read;
    });
  });
  return compositeType('map', [elementTypeOf(key).name, value.text]);
}
