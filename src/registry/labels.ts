import { invalidInput } from '../base/errors/nimify-error.ts';
import type { Signature, TensorSpec } from '../model/signature.ts';

export type Labels = Readonly<Record<string, readonly string[]>>;

/** Keys under which exporters leave class names in a model's metadata properties. */
const METADATA_KEYS = ['labels', 'classes', 'class_names', 'names'];

/**
 * Class names by output, from the text of a labels file or, failing that, from the model's metadata.
 * A labels file is a JSON array of names, an object `{output: [names]}`, an object `{index: name}`, or plain
 * text with a name a line.
 * @throws NimifyError INVALID_INPUT when a labels file is none of these or names an unknown output
 */
export function readLabels(
  signature: Signature,
  metadata: Readonly<Record<string, string>>,
  file: { readonly path: string; readonly text: string } | undefined,
): Labels {
  if (file !== undefined) return fromFile(signature, file.path, file.text);
  for (const key of METADATA_KEYS) {
    const names = fromMetadata(metadata[key]);
    if (names !== undefined) return spread(signature, names);
  }
  return {};
}

function fromFile(signature: Signature, path: string, text: string): Labels {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') && !trimmed.startsWith('{')) {
    return spread(signature, trimmed.split(/\r?\n/));
  }
  const expected = 'a JSON array of names, {"output": ["name", ...]}, or {"0": "name", ...}';
  const value = parseJson(trimmed);
  if (isNames(value)) return spread(signature, value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidInput(`${path}: expected ${expected}`, { where: path, expected });
  }
  const byIndex = fromIndexes(value);
  if (byIndex !== undefined) return spread(signature, byIndex);
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
    if (isScores(output, names.length) || isClassIndex(output)) labels[output.name] = names;
  }
  return labels;
}

function isScores(output: TensorSpec, count: number): boolean {
  const isFloat = output.datatype === 'FP32' || output.datatype === 'FP64' || output.datatype === 'FP16';
  const classes = output.shape.filter((dimension) => dimension !== 1 && dimension !== -1);
  return isFloat && classes.length === 1 && classes[0] === count;
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
