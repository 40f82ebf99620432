import type { Datatype } from '../../base/tensor/datatype.ts';
import { elementCount } from '../../base/tensor/tensor.ts';
import { type ConfigDataType, toDatatype } from '../../base/triton/data-type.ts';
import type { ConfigInput, ConfigOutput } from '../../base/triton/model-config.ts';
import { didYouMean } from '../../base/util/nearest-name.ts';
import { describeShape } from '../../model/fit-shape.ts';
import { fixedRowsOf, withOpenRows } from '../../model/fixed-rows.ts';
import type { Signature, TensorSpec } from '../../model/signature.ts';
import type { DeclaredOptions, Reshape } from '../../policy/declared/declared.ts';
import type { PlanNotes } from './plan.ts';

type Side = 'input' | 'output';

interface Declared {
  readonly spec: TensorSpec;
  readonly reshape: Reshape | undefined;
}

/**
 * Compares `max_batch_size`, `input` and `output` with the signature of the model file, and says how the model looks
 * from outside. What contradicts the file is refused, and both are shown.
 */
export function planTensors(notes: PlanNotes, signature: Signature): DeclaredOptions | undefined {
  const { config } = notes.text;
  const rows = planRows(notes, signature);
  const isBatched = rows !== undefined && rows > 0;
  const isPadded = isBatched && fixedRowsOf(signature.inputs, signature.outputs) !== undefined;
  const outside = isPadded ? withOpenRows(signature) : signature;
  const compare = (side: Side, specs: readonly TensorSpec[]) =>
    (config[side] ?? []).flatMap((entry, at) =>
      planTensor(notes, { side, entry, field: `${side}[${at}]`, specs, isBatched }),
    );
  const inputs = compare('input', outside.inputs);
  const outputs = compare('output', outside.outputs);
  planMissing(notes, signature);
  if (rows === undefined && inputs.length === 0 && outputs.length === 0) return undefined;
  const shown = (declared: readonly Declared[], all: readonly TensorSpec[]) =>
    declared.length === 0 ? all : declared.map(({ spec }) => spec);
  return {
    signature: {
      ...signature,
      inputs: shown(inputs, outside.inputs),
      outputs: shown(outputs, outside.outputs),
      batchAxis: rows === 0 ? 'none' : signature.batchAxis,
    },
    ...(isBatched && rows !== Number.POSITIVE_INFINITY ? { maxRows: rows } : {}),
    inputs: reshapesOf(inputs),
    outputs: reshapesOf(outputs),
  };
}

function reshapesOf(declared: readonly Declared[]): Readonly<Record<string, Reshape>> {
  return Object.fromEntries(
    declared.flatMap(({ spec, reshape }) => (reshape === undefined ? [] : [[spec.name, reshape]])),
  );
}

/** Most rows of a request; 0: no dimension counts rows; undefined: the file decides that. */
function planRows(notes: PlanNotes, signature: Signature): number | undefined {
  const field = 'max_batch_size';
  const { max_batch_size: maxRows, input, output } = notes.text.config;
  if (maxRows === undefined) {
    if (input === undefined && output === undefined) return undefined;
    return leavesOutRows(notes, signature) ? Number.POSITIVE_INFINITY : 0;
  }
  if (maxRows < 0) {
    notes.refuse(field, `expected 0 (no batches) or more, got ${maxRows}`);
    return undefined;
  }
  if (maxRows === 0) {
    notes.honour(field, 'dims are whole shapes, and no dimension counts rows');
    return 0;
  }
  const fixed = [...signature.inputs, ...signature.outputs].find(
    (spec) => spec.anyRank !== true && spec.shape[0] !== -1,
  );
  const fixedRows = fixedRowsOf(signature.inputs, signature.outputs);
  if (fixed === undefined) notes.honour(field, `a request may have ${maxRows} rows, and so may a batch`);
  else if (fixedRows !== undefined) {
    const says = `a request may have ${maxRows} rows; runs are filled up to the model's own ${fixedRows}, if its rows prove to be independent`;
    notes.honour(field, says);
  } else {
    const says = `expected 0, since dimension 0 of the model's '${fixed.name}' ${describeShape(fixed)} is not dynamic`;
    notes.refuse(field, `${says}, got ${maxRows}`);
  }
  return maxRows;
}

/** Where `max_batch_size` is left to Triton, dims of one dimension less than the model's leave out the rows. */
function leavesOutRows({ text: { config } }: PlanNotes, { inputs, outputs }: Signature): boolean {
  const pairs = [...(config.input ?? []), ...(config.output ?? [])].flatMap(({ name, dims, reshape }) => {
    const spec = [...inputs, ...outputs].find((one) => one.name === name);
    const shape = reshape === undefined ? dims : (reshape.shape ?? []);
    return spec === undefined || shape === undefined ? [] : [{ spec, shape }];
  });
  return (
    pairs.length > 0 &&
    pairs.every(({ spec, shape }) => spec.shape[0] === -1 && spec.shape.length === shape.length + 1)
  );
}

interface Entry {
  readonly side: Side;
  readonly entry: ConfigInput & ConfigOutput;
  readonly field: string;
  readonly specs: readonly TensorSpec[];
  readonly isBatched: boolean;
}

function planTensor(notes: PlanNotes, given: Entry): readonly Declared[] {
  const { side, entry, field, specs } = given;
  const { name = '' } = entry;
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined) {
    const known = specs.map((one) => one.name);
    notes.refuse(
      `${field}.name`,
      `the model has no ${side} '${name}'; it has ${known.join(', ')}${didYouMean(name, known)}`,
    );
    return [];
  }
  notes.honour(`${field}.name`, `'${name}'`);
  planDatatype(notes, `${field}.data_type`, spec.datatype, entry.data_type);
  planExtras(notes, given);
  const reshape = planDims(notes, given, spec);
  if (reshape === undefined) return [{ spec, reshape: undefined }];
  const isSame = reshape.outside.join() === reshape.inside.join();
  const dimensionNames = reshape.outside.map((dimension, axis) =>
    dimension === -1 && (isSame || axis === 0) ? spec.dimensionNames[axis] : undefined,
  );
  const { anyRank: _, ...named } = spec;
  return [
    { spec: { ...named, shape: reshape.outside, dimensionNames }, reshape: isSame ? undefined : reshape },
  ];
}

function planDatatype(
  notes: PlanNotes,
  field: string,
  wanted: Datatype,
  type: ConfigDataType | undefined,
): void {
  if (type === undefined) {
    notes.honour(field, `not given; taken from the model: ${wanted}`);
    return;
  }
  const datatype = toDatatype(type);
  if (datatype === wanted) notes.honour(field, wanted);
  else
    notes.refuse(
      field,
      `${type} (${datatype ?? 'none'}), but the model's own is ${wanted}; give the model's`,
    );
}

/** Undefined where the shape is the model's own, or is refused. */
function planDims(
  notes: PlanNotes,
  { entry, field, isBatched }: Entry,
  spec: TensorSpec,
): Reshape | undefined {
  const { dims, reshape } = entry;
  if (dims === undefined || dims.length === 0) {
    if (reshape !== undefined) notes.refuse(`${field}.reshape`, 'there are no dims that it could reshape');
    else notes.honour(`${field}.dims`, `not given; taken from the model: ${describeShape(spec)}`);
    return undefined;
  }
  const rows = isBatched ? [-1] : [];
  const outside = [...rows, ...dims];
  const bad = [...dims, ...(reshape?.shape ?? [])].find((dimension) => dimension < -1);
  if (bad !== undefined) {
    notes.refuse(`${field}.dims`, `expected -1 (dynamic) or more, got ${bad}`);
    return undefined;
  }
  // A shape of no dimensions cannot be told from none given, so a scalar has dims [1] (proto3).
  const isScalar = spec.shape.length === rows.length && spec.anyRank !== true && outside.at(-1) === 1;
  const inside =
    reshape !== undefined ? [...rows, ...(reshape.shape ?? [])] : isScalar ? spec.shape : outside;
  if (reshape !== undefined && !planReshape(notes, field, outside, inside)) return undefined;
  const where = reshape === undefined ? `${field}.dims` : `${field}.reshape`;
  const shown = `[${inside.join(',')}]${isBatched ? ' (with the rows of max_batch_size)' : ''}`;
  if (!isWithin(spec, inside)) {
    notes.refuse(where, `${shown}, but the model's own shape is ${describeShape(spec)}; give the model's`);
    return undefined;
  }
  notes.honour(`${field}.dims`, `[${outside.join(',')}]`);
  return { outside, inside };
}

function planReshape(
  notes: PlanNotes,
  field: string,
  outside: readonly number[],
  inside: readonly number[],
): boolean {
  const [dims, shape] = [`[${outside.join(',')}]`, `[${inside.join(',')}]`];
  const dynamic = (of: readonly number[]) => of.filter((dimension) => dimension === -1).length;
  const fixed = (of: readonly number[]) => elementCount(of.filter((dimension) => dimension !== -1));
  if (dynamic(outside) !== dynamic(inside) || fixed(outside) !== fixed(inside)) {
    notes.refuse(`${field}.reshape`, `${shape} does not hold as many elements as dims ${dims}; mend one`);
    return false;
  }
  notes.honour(`${field}.reshape`, `${dims} outside, ${shape} inside`);
  return true;
}

/** Where the model fixes a dimension the configuration must give it; where the model does not, it may. */
function isWithin({ shape, anyRank }: TensorSpec, declared: readonly number[]): boolean {
  if (anyRank === true) return true;
  return (
    shape.length === declared.length &&
    shape.every((dimension, axis) => dimension === -1 || dimension === declared[axis])
  );
}

function planExtras(notes: PlanNotes, { entry, field }: Entry): void {
  if (entry.format !== undefined && entry.format !== 'FORMAT_NONE') {
    notes.ignore(`${field}.format`, 'values go to the model as they come; the shape says the same');
  }
  if (entry.allow_ragged_batch) {
    notes.refuse(`${field}.allow_ragged_batch`, 'nimify does not join requests of different shapes into one');
  }
  if (entry.optional) {
    notes.ignore(`${field}.optional`, 'the model itself needs a value, so every request must give one');
  }
  for (const flag of ['is_shape_tensor', 'is_non_linear_format_io'] as const) {
    if (entry[flag]) notes.refuse(`${field}.${flag}`, 'only TensorRT engines have such tensors');
  }
}

/** An input that nobody mentions would never get a value. */
function planMissing(notes: PlanNotes, { inputs, outputs }: Signature): void {
  const { input, output } = notes.text.config;
  if (input !== undefined) {
    const missing = inputs.filter(({ name }) => !input.some((entry) => entry.name === name));
    for (const spec of missing) {
      notes.refuse(
        'input',
        `the model also takes '${spec.name}' ${spec.datatype} ${describeShape(spec)}; add it`,
      );
    }
  }
  if (output !== undefined) {
    const missing = outputs.filter(({ name }) => !output.some((entry) => entry.name === name));
    const names = missing.map(({ name }) => name).join(', ');
    if (names !== '') notes.honour('output', `only what is listed is offered; the model also has ${names}`);
  }
}
