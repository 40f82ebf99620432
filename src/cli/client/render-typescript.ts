import type { Datatype } from '../../base/tensor/datatype.ts';
import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { type DescribedModel, type DescribedServer, inComment } from './described-model.ts';
import { toTypeNames } from './identifiers.ts';
import { headline, insertModels } from './insert-models.ts';

/** Elements that an input takes, and those that an output has. 16-bit floats are numbers: bits help nobody. */
const ELEMENTS: Readonly<Record<Exclude<Datatype, 'BYTES'>, readonly [input: string, output: string]>> = {
  BOOL: ['Uint8Array | readonly boolean[]', 'Uint8Array'],
  UINT8: ['Uint8Array | readonly number[]', 'Uint8Array'],
  UINT16: ['Uint16Array | readonly number[]', 'Uint16Array'],
  UINT32: ['Uint32Array | readonly number[]', 'Uint32Array'],
  UINT64: ['BigUint64Array | readonly (number | bigint)[]', 'BigUint64Array'],
  INT8: ['Int8Array | readonly number[]', 'Int8Array'],
  INT16: ['Int16Array | readonly number[]', 'Int16Array'],
  INT32: ['Int32Array | readonly number[]', 'Int32Array'],
  INT64: ['BigInt64Array | readonly (number | bigint)[]', 'BigInt64Array'],
  FP16: ['Float32Array | readonly number[]', 'Float32Array'],
  BF16: ['Float32Array | readonly number[]', 'Float32Array'],
  FP32: ['Float32Array | readonly number[]', 'Float32Array'],
  FP64: ['Float64Array | readonly number[]', 'Float64Array'],
};

/** A client in one file that needs nothing but `fetch`. */
export function renderTypescript({ models, url }: DescribedServer): Promise<string> {
  const types = toTypeNames(models.map(({ name }) => name));
  const text = [
    `// ${headline()}`,
    '',
    `const DEFAULT_URL = ${literal(url)};`,
    '',
    ...models.flatMap((model, index) => typesOf(model, types[index] as string)),
    '/** Every model, by its name. */',
    'export interface Models {',
    ...models.map(
      ({ name }, index) =>
        `  readonly ${key(name)}: { readonly inputs: ${types[index]}Inputs; readonly outputs: ${types[index]}Outputs };`,
    ),
    '}',
    '',
    'const MODELS: ModelTable = new Map([',
    ...models.map(
      ({ name, inputs, outputs }) =>
        `  [${literal(name)}, { inputs: ${table(inputs)}, outputs: ${table(outputs)} }],`,
    ),
    ']);',
    '',
  ];
  return insertModels('typescript.ts', '//', text.join('\n'));
}

function typesOf({ name, inputs, outputs }: DescribedModel, type: string): readonly string[] {
  const title = inComment(name);
  return [
    `/** What the model \`${title}\` takes. */`,
    `export interface ${type}Inputs {`,
    ...inputs.flatMap((spec) => member(spec, inputType(spec))),
    '}',
    '',
    `/** What the model \`${title}\` answers. */`,
    `export interface ${type}Outputs {`,
    ...outputs.flatMap((spec) => member(spec, outputType(spec))),
    '}',
    '',
  ];
}

function member(spec: TensorSpec, type: string): readonly string[] {
  return [
    `  /** ${spec.datatype} ${inComment(describeShape(spec))} */`,
    `  readonly ${key(spec.name)}: ${type};`,
  ];
}

function inputType(spec: TensorSpec): string {
  const elements =
    spec.datatype === 'BYTES' ? 'readonly (string | Uint8Array)[]' : ELEMENTS[spec.datatype][0];
  return `Tensor<${elements}, ${shapeType(spec)}>`;
}

function outputType(spec: TensorSpec): string {
  if (spec.datatype === 'BYTES') return `TextTensor<${shapeType(spec)}>`;
  return `Tensor<${ELEMENTS[spec.datatype][1]}, ${shapeType(spec)}>`;
}

function shapeType({ shape, anyRank }: TensorSpec): string {
  if (anyRank === true) return 'readonly number[]';
  return `readonly [${shape.map((size) => (size === -1 ? 'number' : String(size))).join(', ')}]`;
}

function table(specs: readonly TensorSpec[]): string {
  return `[${specs.map(({ name, datatype }) => `[${literal(name)}, '${datatype}']`).join(', ')}]`;
}

/** The name of a property. */
function key(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : literal(name);
}

/** A string as it stands in source text. */
function literal(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1);
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
