import { extname } from 'node:path';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import { scanObjectMembers } from '../../base/oip/json-object.ts';
import { scanTensorValue } from '../../base/oip/json-tensor.ts';
import { skipSpace } from '../../base/oip/json-value.ts';
import { concatRows } from '../../base/tensor/rows.ts';
import { dataLength, type Tensor } from '../../base/tensor/tensor.ts';
import { fitShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { convertData } from '../convert-data.ts';
import { planImage } from '../image/image-plan.ts';
import type { ImageHints } from '../image/image-settings.ts';
import { readNpy } from '../npy.ts';
import { readStandardInput, readWholeFile } from '../read-file.ts';
import { type InputArgument, listInputs, parseInputArgument } from './input-argument.ts';

export interface ReadInputsOptions {
  readonly specs: readonly TensorSpec[];
  /** How pictures are prepared; the first hint that says something wins. */
  readonly imageHints: readonly ImageHints[];
  /** Hears what was assumed. */
  readonly note: (line: string) => void;
}

const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
]);

const OPEN_BRACE = 0x7b;

/**
 * The tensors that the arguments stand for. An input that is given several times gets the values as rows, in
 * the order given.
 * @throws NimifyError INVALID_INPUT, NOT_FOUND (a file)
 */
export async function readInputs(
  args: readonly string[],
  options: ReadInputsOptions,
): Promise<readonly Tensor[]> {
  const given = new Map<string, Tensor[]>();
  for (const argument of args) {
    for (const tensor of await readArgument(parseInputArgument(argument, options.specs), options)) {
      const rows = given.get(tensor.name) ?? [];
      rows.push(tensor);
      given.set(tensor.name, rows);
    }
  }
  return [...given].map(([name, tensors]) => joinRows(name, tensors, options.specs));
}

async function readArgument(argument: InputArgument, options: ReadInputsOptions): Promise<readonly Tensor[]> {
  const { spec, source } = argument;
  if (source.kind === 'text') {
    const bytes = new TextEncoder().encode(source.text);
    if (isObject(bytes) && (spec === undefined || spec.datatype !== 'BYTES')) {
      return readObject(bytes, 'inputs', options.specs);
    }
    const named = requireSpec(spec, options.specs);
    return [readJson(toJson(source.text, named), named, `inputs.${named.name}`)];
  }
  const isFile = source.kind === 'file';
  const where = isFile ? source.path : 'standard input';
  const bytes = isFile ? await readWholeFile(source.path) : await readStandardInput();
  const extension = isFile ? extname(source.path).toLowerCase() : '.json';
  if (extension === '.json' && isObject(bytes)) return readObject(bytes, where, options.specs);
  const named = requireSpec(spec, options.specs);
  if (extension === '.json') return [readJson(bytes, named, where)];
  if (extension === '.npy') return [readNumpy(bytes, named, where)];
  if (named.datatype === 'BYTES') return [readRaw(bytes, named, where)];
  if (IMAGE_EXTENSIONS.has(extension)) return [await readPicture(bytes, named, where, options)];
  const expected = `.json, .npy or a picture (${[...IMAGE_EXTENSIONS].join(' ')})`;
  throw invalidInput(`${where}: expected ${expected} for ${named.datatype} values`, { where, expected });
}

/** `{"name": value, ...}`, or the same within `{"inputs": ...}`, as examples beside models are written. */
function readObject(bytes: Uint8Array, where: string, specs: readonly TensorSpec[]): readonly Tensor[] {
  const members = scanObjectMembers(bytes, where);
  const inner = members.get('inputs');
  if (inner !== undefined && !specs.some((spec) => spec.name === 'inputs')) {
    return readObject(bytes.subarray(inner.start, inner.end), `${where}: inputs`, specs);
  }
  return [...members].map(([name, { start, end }]) => {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      throw invalidInput(`${where}: the model has no input '${name}'. It takes\n${listInputs(specs)}`, {
        where,
        expected: specs.map((candidate) => candidate.name),
        got: name,
      });
    }
    return readJson(bytes.subarray(start, end), spec, `${where}.${name}`);
  });
}

function readJson(bytes: Uint8Array, spec: TensorSpec, where: string): Tensor {
  const { data, shape, end } = scanTensorValue(bytes, 0, spec.datatype, where);
  if (skipSpace(bytes, end) !== bytes.length) {
    const rest = new TextDecoder().decode(bytes.subarray(end, end + 20)).trim();
    throw invalidInput(`${where}: expected one JSON value, got '${rest}' after it`, { where });
  }
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: fitShape(spec, shape, dataLength(data), where),
    data,
  };
}

/** Shells make quotes tedious: strings may go without, and lists of numbers without brackets. */
function toJson(text: string, spec: TensorSpec): Uint8Array {
  const trimmed = text.trim();
  const isJson = trimmed.startsWith('[') || trimmed.startsWith('"');
  const json =
    spec.datatype === 'BYTES' && !isJson
      ? JSON.stringify(text)
      : spec.datatype !== 'BYTES' && !isJson && trimmed.includes(',')
        ? `[${trimmed}]`
        : trimmed;
  return new TextEncoder().encode(json);
}

function readNumpy(bytes: Uint8Array, spec: TensorSpec, where: string): Tensor {
  const { datatype, shape, data } = readNpy(bytes, where);
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: fitShape(spec, shape, dataLength(data), where),
    data: convertData(data, datatype, spec.datatype, where),
  };
}

/** The whole file as one element: text, or a picture that the model decodes itself. */
function readRaw(bytes: Uint8Array, spec: TensorSpec, where: string): Tensor {
  const data = { bytes, offsets: Uint32Array.of(0, bytes.byteLength) };
  return { name: spec.name, datatype: 'BYTES', shape: fitShape(spec, [], 1, where), data };
}

async function readPicture(
  bytes: Uint8Array,
  spec: TensorSpec,
  where: string,
  { imageHints, note }: ReadInputsOptions,
): Promise<Tensor> {
  const plan = planImage(spec, imageHints);
  note(`${where} -> ${spec.name}: ${plan.notes.join(', ')}`);
  const { readImage } = await import('../image/read-image.ts');
  const data = await readImage(bytes, plan, spec.datatype, where);
  return { name: spec.name, datatype: spec.datatype, shape: plan.shape, data };
}

function joinRows(name: string, tensors: readonly Tensor[], specs: readonly TensorSpec[]): Tensor {
  const [only] = tensors;
  if (only !== undefined && tensors.length === 1) return only;
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec?.anyRank !== true && spec?.shape[0] === -1) return concatRows(tensors);
  throw invalidInput(
    `inputs.${name}: given ${tensors.length} times, but the model takes one row at a time; run nimify predict once for each`,
    { where: `inputs.${name}`, expected: 'one value', got: `${tensors.length} values` },
  );
}

function requireSpec(spec: TensorSpec | undefined, specs: readonly TensorSpec[]): TensorSpec {
  if (spec !== undefined) return spec;
  throw invalidInput(`the model takes ${specs.length} inputs; name the one you mean:\n${listInputs(specs)}`, {
    where: 'inputs',
    expected: specs.map((candidate) => candidate.name),
  });
}

function isObject(bytes: Uint8Array): boolean {
  return bytes[skipSpace(bytes, 0)] === OPEN_BRACE;
}
