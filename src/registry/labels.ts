import { invalidInput } from '../base/errors/nimify-error.ts';
import { classAxes } from '../model/class-scores.ts';
import { describeShape } from '../model/fit-shape.ts';
import type { Signature, TensorSpec } from '../model/signature.ts';

export type Labels = Readonly<Record<string, readonly string[]>>;

export interface FoundLabels {
  readonly labels: Labels;
  /** How the number of names in a labels file fits no output's classes, and what to do; undefined where it fits. */
  readonly misfit?: string;
}

/** Keys under which exporters leave class names in a model's metadata properties. */
const METADATA_KEYS = ['labels', 'classes', 'class_names', 'names'];

/**
 * Class names by output, from the text of a labels file or, failing that, from the model's metadata.
 * A labels file is a JSON array of names, an object `{output: [names]}`, an object `{index: name}`, or plain
 * text with a name a line.
 * @throws NimifyError INVALID_INPUT when a labels file is none of these, or names an output that does not exist or
 * has another number of classes
 */
export function readLabels(
  signature: Signature,
  metadata: Readonly<Record<string, string>>,
  file: { readonly path: string; readonly text: string } | undefined,
): FoundLabels {
  if (file !== undefined) return fromFile(signature, file.path, file.text);
  for (const key of METADATA_KEYS) {
    const names = fromMetadata(metadata[key]);
    if (names !== undefined) return { labels: spread(signature, names) };
  }
  return { labels: {} };
}

function fromFile(signature: Signature, path: string, text: string): FoundLabels {
  const trimmed = text.trim();
  const isJson = trimmed.startsWith('[') || trimmed.startsWith('{');
  const names = isJson ? undefined : trimmed.split(/\r?\n/);
  return names === undefined ? fromJson(signature, path, trimmed) : fromList(signature, path, names);
}

/** A list that says for no output which it is for: as many as fit. A file for something else stops no model. */
function fromList(signature: Signature, path: string, names: readonly string[]): FoundLabels {
  const labels = spread(signature, names);
  const named = Object.keys(labels);
  const scores = signature.outputs.filter((output) => classCount(output) !== undefined);
  if (scores.some((output) => named.includes(output.name))) return { labels };
  const odd = scores.find((output) => /prob|score|logit/i.test(output.name));
  if (named.length > 0)
    return odd === undefined ? { labels } : { labels, misfit: tooFewOrMany(path, names, odd, named) };
  const outputs = signature.outputs.map(
    (output) => `'${output.name}' (${output.datatype} ${describeShape(output)})`,
  );
  const misfit =
    `${path} has ${names.length} names, and no output is known to have as many classes: the model has ` +
    `${outputs.join(', ')}. It is served without them; mend the list, or say which output it is for: ` +
    `{"${signature.outputs[0]?.name}": [...]}`;
  return { labels, misfit };
}

/** Class indexes take any number of names; the scores beside them tell how many there are. */
function tooFewOrMany(
  path: string,
  names: readonly string[],
  scores: TensorSpec,
  named: readonly string[],
): string {
  return (
    `${path} has ${names.length} names, and output '${scores.name}' has ${classCount(scores)} classes; only ` +
    `${named.map((name) => `'${name}'`).join(', ')} is served with names; mend the list`
  );
}

function fromJson(signature: Signature, path: string, text: string): FoundLabels {
  const expected = 'a JSON array of names, {"output": ["name", ...]}, or {"0": "name", ...}';
  const value = parseJson(text);
  if (isNames(value)) return fromList(signature, path, value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidInput(`${path}: expected ${expected}`, { where: path, expected });
  }
  const byIndex = fromIndexes(value);
  if (byIndex !== undefined) return fromList(signature, path, byIndex);
  return { labels: fromOutputs(signature, path, value, expected) };
}

function fromOutputs(signature: Signature, path: string, value: object, expected: string): Labels {
  const known = new Set(signature.outputs.map((output) => output.name));
  const labels: Record<string, readonly string[]> = {};
  for (const [output, names] of Object.entries(value)) {
    if (!known.has(output) || !isNames(names)) {
      const outputs = [...known].join(', ');
      throw invalidInput(`${path}: '${output}' is no output with a list of names; outputs are ${outputs}`, {
        where: path,
        expected,
      });
    }
    const classes = classCount(signature.outputs.find(({ name }) => name === output)!);
    if (classes !== undefined && classes !== names.length) {
      throw invalidInput(`${path}: ${output}: expected ${classes} names, one a class, got ${names.length}`, {
        ...{ where: path, expected: `${classes} names`, got: names.length },
      });
    }
    labels[output] = names;
  }
  return labels;
}

function fromMetadata(text: string | undefined): readonly string[] | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = parseJson(text) ?? parseJson(fromPythonLiteral(text));
  if (isNames(value)) return value;
  if (typeof value === 'object' && value !== null) return fromIndexes(value);
  const names = text.split(/\r?\n|,/).map((name) => name.trim());
  return names.length > 1 ? names : undefined;
}

/** Ultralytics writes `{0: 'person', 1: 'bicycle'}`: quote the keys and turn the quotes. */
function fromPythonLiteral(text: string): string {
  return text.replace(/([{,]\s*)(\d+)\s*:/g, '$1"$2":').replace(/'([^'"]*)'/g, '"$1"');
}

function fromIndexes(value: object): readonly string[] | undefined {
  const entries = Object.entries(value);
  const names: string[] = [];
  for (const [key, name] of entries) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= entries.length || typeof name !== 'string') return undefined;
    names[index] = name;
  }
  return names.length === entries.length && names.length > 0 ? names : undefined;
}

/** Gives one list of names to every output that it can describe: scores over the classes, and class indexes. */
function spread(signature: Signature, names: readonly string[]): Labels {
  const labels: Record<string, readonly string[]> = {};
  for (const output of signature.outputs) {
    if (classCount(output) === names.length || isClassIndex(output)) labels[output.name] = names;
  }
  return labels;
}

/** How many classes an output has scores of; undefined where its shape does not tell, or it holds no scores. */
function classCount({ datatype, shape }: TensorSpec): number | undefined {
  if (datatype !== 'FP32' && datatype !== 'FP64' && datatype !== 'FP16') return undefined;
  const [classes, ...others] = classAxes(shape);
  return others.length === 0 && classes !== -1 ? classes : undefined;
}

function isClassIndex(output: TensorSpec): boolean {
  const isIndex = output.datatype === 'INT64' || output.datatype === 'INT32';
  const oneARow = output.shape.length === 1 || (output.shape.length === 2 && output.shape[1] === 1);
  return isIndex && oneARow && /label|class|pred/i.test(output.name);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
