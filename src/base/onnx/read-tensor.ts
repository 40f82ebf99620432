import { invalidInput } from '../errors/nimify-error.ts';
import type { ExternalReference, StoredTensor } from './graph-facts.ts';
import { LIMITS } from './limits.ts';
import { quoteName } from './quote-name.ts';
import type { Span, WireField, WireReader } from './wire-reader.ts';

/** Field numbers of TensorProto, SparseTensorProto and StringStringEntryProto (onnx.proto). */
const TENSOR = { dims: 1, dataType: 2, name: 8, externalData: 13, dataLocation: 14 } as const;
const SPARSE = { values: 1, dims: 3 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const LOCATION_EXTERNAL = 1;

/** Reads a TensorProto but for its elements, which are skipped wherever they are. */
export async function readTensor(reader: WireReader, at: Span): Promise<StoredTensor> {
  let name = '';
  let elementType = 0;
  let isExternal = false;
  const dims: number[] = [];
  const entries = new Map<string, string>();

  await reader.message(at, (field) => {
    switch (field.number) {
      case TENSOR.dims:
        return readDims(reader, field, dims);
      case TENSOR.name:
        return reader.text(field, (text) => {
          name = text;
        });
      case TENSOR.dataType:
        elementType = field.value;
        return undefined;
      case TENSOR.dataLocation:
        isExternal = field.value === LOCATION_EXTERNAL;
        return undefined;
      case TENSOR.externalData:
        return readEntry(reader, field).then(([key, value]) => {
          if (key === 'location' || key === 'offset' || key === 'length') entries.set(key, value);
        });
      default:
        return undefined;
    }
  });

  const external = isExternal ? toExternalReference(entries, name) : undefined;
  return { name, elementType, dims, storedDims: dims, external };
}

/** Reads a SparseTensorProto, which is named by its values (onnx.proto, GraphProto.sparse_initializer). */
export async function readSparseTensor(reader: WireReader, at: Span): Promise<StoredTensor> {
  let values: StoredTensor = { name: '', elementType: 0, dims: [0], storedDims: [0], external: undefined };
  const dims: number[] = [];
  await reader.message(at, (field) => {
    if (field.number === SPARSE.dims) return readDims(reader, field, dims);
    if (field.number !== SPARSE.values) return undefined;
    return readTensor(reader, field).then((tensor) => {
      values = tensor;
    });
  });
  return { ...values, dims };
}

function readDims(reader: WireReader, field: WireField, into: number[]): Promise<void> {
  return reader.integers(field, (dim) => {
    if (into.length >= LIMITS.rank) throw tooManyDimensions(field.start);
    into.push(dim);
  });
}

/** A StringStringEntryProto: key and value. */
export async function readEntry(reader: WireReader, entry: Span): Promise<[string, string]> {
  let key = '';
  let value = '';
  await reader.message(entry, (field) => {
    if (field.number === ENTRY.key) {
      return reader.text(field, (text) => {
        key = text;
      });
    }
    if (field.number === ENTRY.value) {
      return reader.text(field, (text) => {
        value = text;
      });
    }
    return undefined;
  });
  return [key, value];
}

/** Offsets and lengths are decimal numbers in text (onnx.proto, TensorProto.external_data). */
function toExternalReference(entries: ReadonlyMap<string, string>, tensor: string): ExternalReference {
  const offset = toByteCount(entries.get('offset'), tensor, 'offset') ?? 0;
  return {
    location: entries.get('location') ?? '',
    offset,
    length: toByteCount(entries.get('length'), tensor, 'length'),
  };
}

function toByteCount(text: string | undefined, tensor: string, what: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw invalidInput(
    `the external data of tensor ${quoteName(tensor)} has a wrong ${what}; save the model again`,
    {
      where: `external_data.${what}`,
      expected: 'a whole number of bytes',
      got: text.slice(0, 40),
    },
  );
}

function tooManyDimensions(at: number) {
  return invalidInput(
    `the ONNX file is damaged: a tensor at byte ${at} has more than ${LIMITS.rank} dimensions`,
    {
      where: `byte ${at}`,
    },
  );
}
