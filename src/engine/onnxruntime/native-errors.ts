import { basename } from 'node:path';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';

/** How a native text is recognised, and what is said in its place. `$1`... are the groups of the pattern. */
interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly says: string;
}

/**
 * Texts of ONNX Runtime 1.30, each provoked by a file made for it (native-errors.test.ts). Most are refused
 * earlier, by the file's reader; here is what comes past it, and all for `.ort` files.
 */
const LOAD_RULES: readonly Rule[] = [
  {
    pattern: /AppendExecutionProvider_(\w+): Failed to load shared library/,
    code: 'UNSUPPORTED',
    says: "cannot run on the execution provider $1: libraries that it needs do not load; 'nimify doctor' names the one that is missing",
  },
  {
    pattern: /Failed to get a WebGPU adapter/,
    code: 'UNSUPPORTED',
    says: 'cannot run on the execution provider webgpu: no graphics adapter with a driver is found; leave the provider out',
  },
  {
    pattern: /Protobuf parsing failed|does not have a graph|ORT model verification failed|Invalid model\b/,
    code: 'INVALID_INPUT',
    says: 'is no ONNX model, or is cut short; export or download it again',
  },
  {
    pattern: /File doesn't exist|No such file/,
    code: 'NOT_FOUND',
    says: 'does not exist; check the path',
  },
  {
    pattern: /External data (?:path|file).*?"([^"]+)"/s,
    code: 'INVALID_INPUT',
    says: "keeps weights in a file '$1' that is missing; put it beside the model",
  },
  {
    pattern: /[Ee]xternal data/,
    code: 'INVALID_INPUT',
    says: 'keeps weights in another file that does not fit; export or download both again',
  },
  {
    pattern: /Opset (\d+) is under development.*domain (\S+) is till opset (\d+)/s,
    code: 'UNSUPPORTED',
    says: 'uses opset $1 of $2, and ONNX Runtime 1.30 knows up to $3; export it with opset $3 or lower',
  },
  {
    pattern: /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    code: 'UNSUPPORTED',
    says: 'has IR version $1, and ONNX Runtime 1.30 knows up to $2; export it with an older version of onnx',
  },
  {
    pattern: /(\S+?)\(-?\d+\) is not a registered function\/op|No Op registered for (\S+)/,
    code: 'UNSUPPORTED',
    says: "uses the operator '$1$2', which ONNX Runtime does not have; export the model with standard operators",
  },
  {
    pattern: /Could not find an implementation for (\S+?)\(/,
    code: 'UNSUPPORTED',
    says: "uses the operator '$1' in a way that ONNX Runtime has no CPU code for; export it with other datatypes",
  },
  {
    pattern: /Unsupported data type: 16\b/,
    code: 'UNSUPPORTED',
    says: 'has a BF16 input or output, which ONNX Runtime for Node cannot pass; cast it to FP32 in the graph',
  },
  {
    pattern: /Unsupported data type: \d+/,
    code: 'UNSUPPORTED',
    says: 'has an input or output of a type that ONNX Runtime for Node cannot pass; cast it to FP32 in the graph',
  },
  {
    pattern: /ailed to allocate memory|bad_alloc|bad allocation/,
    code: 'ENGINE_FAILED',
    says: 'needs more memory than this machine has free; free some, or serve it on a larger machine',
  },
  {
    pattern: /invalid model|not acyclic|Type Error|ShapeInferenceError|is not output of any previous nodes/,
    code: 'INVALID_INPUT',
    says: 'holds a graph that is not valid; check it with onnx.checker and export it again',
  },
];

/** A refusal to load, in our own words; the native text stays in `cause`. */
export function toLoadError(path: string, thrown: unknown): NimifyError {
  if (thrown instanceof NimifyError) return thrown;
  const text = textOf(thrown);
  for (const { pattern, code, says } of LOAD_RULES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const said = says.replace(/\$(\d)/g, (_, group) => basename(match[Number(group)] ?? ''));
    return new NimifyError(code, `${path} ${said}`, { details: { where: path }, cause: thrown });
  }
  return new NimifyError(
    'ENGINE_FAILED',
    `${path} cannot be loaded by ONNX Runtime; the log has its reason`,
    {
      details: { where: path },
      cause: thrown,
    },
  );
}

/**
 * A failed run, in our own words. The graph is fixed and was accepted at load, so when an operator refuses
 * during a run it is the values or sizes that it refuses (an index outside its table, shapes that do not go
 * together, text that is no number), or for which there is not enough memory (Range to 1e15): the request's fault.
 * Missing code is not. `details.outOfMemory` tells a lack of memory from other refusals.
 */
export function toRunError(thrown: unknown): NimifyError {
  if (thrown instanceof NimifyError) return thrown;
  const text = textOf(thrown);
  const operator = innermostOperator(text);
  const where = operator === undefined ? '' : ` in the operator ${operator}`;
  const details = { where: 'inputs', ...(operator === undefined ? {} : { operator }) };
  if (TOO_LARGE.test(text)) {
    return new NimifyError(
      'INVALID_INPUT',
      `inputs: their values and sizes ask for more memory than there is${where}; send fewer, smaller or lower ones`,
      { details: { ...details, outOfMemory: true }, cause: thrown },
    );
  }
  if (REFUSED_INPUT.test(text) || (operator !== undefined && !/not implemented/i.test(text))) {
    return new NimifyError(
      'INVALID_INPUT',
      `inputs: the model refused these inputs${where}${whatItSaid(text)}; check their values and dynamic sizes`,
      { details, cause: thrown },
    );
  }
  return new NimifyError('ENGINE_FAILED', `ONNX Runtime failed${where}; the log has its reason`, {
    cause: thrown,
  });
}

/** Allocations that failed, and sizes that could not even be counted. */
const TOO_LARGE =
  /ailed to allocate memory|bad_alloc|bad allocation|SafeIntOnOverflow|storage size overflowed|would require more than \d+ bytes/;

/** Refusals before any operator runs. Validation stands before them; this is the second line. */
const REFUSED_INPUT =
  /Unexpected input data type|Invalid rank for input|Got invalid dimensions for input|Tensor\.dims\[\d+\] is invalid/;

/** The commonest refusals, told more closely with the numbers that the native text gives. */
const REFUSALS: readonly { readonly pattern: RegExp; readonly says: string }[] = [
  {
    pattern: /idx=(-?\d+) must be within the inclusive range \[(-?\d+),(-?\d+)\]/,
    says: 'index $1 is outside [$2, $3]',
  },
  { pattern: /invalid index found, index = (-?\d+)/, says: 'index $1 is outside its table' },
  {
    pattern: /Input shape:(\{[\d,-]*\}), requested shape:(\{[\d,-]*\})/,
    says: '$1 cannot be reshaped to $2',
  },
  {
    pattern: /Axis (\d+) has mismatched dimensions of (\d+) and (\d+)/,
    says: 'sizes $2 and $3 differ along axis $1',
  },
  {
    pattern: /broadcast an axis by a dimension other than 1. (\d+) by (\d+)/,
    says: 'sizes $1 and $2 do not go together',
  },
  { pattern: /[Dd]imension mismatch/, says: 'two sizes that must be equal differ' },
  { pattern: /Integer division by zero/, says: 'an integer is divided by zero' },
  { pattern: /: sto[dfil]+\b/, says: 'a text is no number' },
];

function whatItSaid(text: string): string {
  for (const { pattern, says } of REFUSALS) {
    const match = pattern.exec(text);
    if (match !== null) return `: ${says.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? '')}`;
  }
  return '';
}

/** Operators nest (Loop, If): the last one named is where it went wrong. */
function innermostOperator(text: string): string | undefined {
  return [...text.matchAll(/while running (\w+) node/g)].at(-1)?.[1];
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
