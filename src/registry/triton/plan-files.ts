import { elementCount } from '../../base/tensor/tensor.ts';
import { toDatatype } from '../../base/triton/data-type.ts';
import type { PlanNotes } from './plan.ts';

/**
 * Is this the name of a file within a folder: relative, and nowhere on its way out of it? Configurations come from
 * others, and so do requests.
 */
export function isInnerPath(path: string): boolean {
  if (path === '' || path.includes('\0') || path.includes('\\')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

const OUTSIDE = 'expected the name of a file within the folder, without .. and without a / at its beginning';

/** Files that the configuration names. */
export function planFiles(notes: PlanNotes): void {
  const { config } = notes.text;
  const file = config.default_model_filename;
  if (file !== undefined && file !== '') {
    if (isInnerPath(file)) notes.honour('default_model_filename', `'${file}' of each version's folder`);
    else notes.refuse('default_model_filename', `${OUTSIDE}, got '${file}'`);
  }
  for (const [at, { label_filename: labels }] of (config.output ?? []).entries()) {
    const field = `output[${at}].label_filename`;
    if (labels === undefined || labels === '') continue;
    if (isInnerPath(labels)) notes.honour(field, `class names from '${labels}'`);
    else notes.refuse(field, `${OUTSIDE}, got '${labels}'`);
  }
  for (const at of (config.model_warmup ?? []).keys()) planWarmup(notes, at);
}

function planWarmup(notes: PlanNotes, at: number): void {
  const warmup = notes.text.config.model_warmup![at]!;
  const field = `model_warmup[${at}]`;
  const before = notes.entries.length;
  if (warmup.batch_size === undefined || warmup.batch_size < 1) {
    notes.refuse(`${field}.batch_size`, `expected 1 or more, got ${warmup.batch_size ?? 'nothing'}`);
  }
  for (const [name, input] of warmup.inputs ?? []) {
    const where = `${field}.inputs['${name}']`;
    const { data_type: type, dims = [], input_data_file: file } = input;
    const count = elementCount(dims);
    if (type === undefined || toDatatype(type) === undefined)
      notes.refuse(`${where}.data_type`, 'expected a datatype');
    if (Number.isNaN(count) || count * (warmup.batch_size ?? 1) > MAX_WARMUP_ELEMENTS) {
      const most = `at most ${MAX_WARMUP_ELEMENTS} elements`;
      notes.refuse(
        `${where}.dims`,
        `expected a shape without dynamic dimensions, ${most}, got [${dims.join(',')}]`,
      );
    }
    const kinds = [input.zero_data, input.random_data, file].filter((one) => one !== undefined);
    if (kinds.length === 0) {
      notes.refuse(where, 'expected zero_data, random_data or input_data_file');
    } else if (file !== undefined && !isInnerPath(file)) {
      notes.refuse(`${where}.input_data_file`, `${OUTSIDE}, got '${file}'`);
    }
  }
  if (notes.entries.length === before) {
    notes.honour(field, `asked ${warmup.count || 1} time(s) before the model is ready`);
  }
}

/** A sample larger than this is a mistake. */
const MAX_WARMUP_ELEMENTS = 2 ** 26;
