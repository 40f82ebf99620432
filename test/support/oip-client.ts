import { type Json, parseExactly } from './exact-json.ts';
import { fromBytes, fromHalf, type PlainTensor, toBytes, toHalf, type Value } from './tensor.ts';

/** How tensors travel: JSON text, or OIP's binary tensor extension. */
export const ENCODINGS = ['json', 'binary'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface Answer {
  readonly modelName: string;
  readonly id: string | undefined;
  readonly outputs: readonly PlainTensor[];
}

/** An answer that is an error; `body` is what the server said. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: { readonly [key: string]: Json };

  constructor(status: number, body: { readonly [key: string]: Json }) {
    super(`${status}: ${String(body.error)}`);
    this.status = status;
    this.body = body;
  }
}

export interface InferOptions {
  readonly id?: string;
  /** Names of the wanted outputs. Default: all. */
  readonly outputs?: readonly string[];
}

/** One inference over OIP's REST protocol (open-inference-protocol, inference_rest.md), request and answer alike. */
export async function infer(
  url: string,
  model: string,
  inputs: readonly PlainTensor[],
  encoding: Encoding,
  options: InferOptions = {},
): Promise<Answer> {
  const { body, headers } =
    encoding === 'json' ? jsonRequest(inputs, options) : binaryRequest(inputs, options);
  const response = await fetch(`${url}/v2/models/${encodeURIComponent(model)}/infer`, {
    method: 'POST',
    headers,
    body,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok)
    throw new Refusal(response.status, parseExactly(bytes.toString()) as { [key: string]: Json });
  return encoding === 'json' ? readJson(bytes) : readBinary(bytes, response.headers);
}

function jsonRequest(inputs: readonly PlainTensor[], options: InferOptions) {
  const tensors = inputs.map(
    ({ name, datatype, shape, values }) =>
      `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join()}],"data":[${values.map(toJson).join()}]}`,
  );
  const outputs = options.outputs?.map((name) => `{"name":${JSON.stringify(name)}}`);
  return {
    body: `{${idField(options)}"inputs":[${tensors.join()}]${outputs === undefined ? '' : `,"outputs":[${outputs.join()}]`}}`,
    headers: { 'content-type': 'application/json' },
  };
}

function binaryRequest(inputs: readonly PlainTensor[], options: InferOptions) {
  const parts = inputs.map(toBytes);
  const tensors = inputs.map(({ name, datatype, shape }, i) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: parts[i]?.length },
  }));
  const outputs = options.outputs?.map((name) => ({ name, parameters: { binary_data: true } }));
  const head = Buffer.from(
    JSON.stringify({
      ...(options.id === undefined ? {} : { id: options.id }),
      inputs: tensors,
      ...(outputs === undefined ? { parameters: { binary_data_output: true } } : { outputs }),
    }),
  );
  return {
    body: Buffer.concat([head, ...parts]),
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    },
  };
}

function idField({ id }: InferOptions): string {
  return id === undefined ? '' : `"id":${JSON.stringify(id)},`;
}

/** JSON has no way to write what is not finite; nimify takes the words as strings. */
function toJson(value: Value): string {
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

interface Head {
  readonly model_name: string;
  readonly id?: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data?: Json[];
    readonly parameters?: { readonly binary_data_size?: number };
  }[];
}

function readJson(bytes: Buffer): Answer {
  const head = parseExactly(bytes.toString()) as unknown as Head;
  const outputs = head.outputs.map(({ name, datatype, shape, data = [] }) => ({
    name,
    datatype,
    shape,
    values: ((data as unknown[]).flat(Number.POSITIVE_INFINITY) as Value[]).map((value) =>
      fromJson(datatype, value),
    ),
  }));
  return { modelName: head.model_name, id: head.id, outputs };
}

function fromJson(datatype: string, value: Value): Value {
  if (datatype === 'INT64' || datatype === 'UINT64') return BigInt(value);
  // Written with as few digits as tell it from its neighbours of the same datatype: read to the nearest.
  if (datatype === 'FP16') return fromHalf(toHalf(Number(value)));
  if (datatype === 'FP32') return Math.fround(Number(value));
  if (datatype === 'FP64') return Number(value);
  return value;
}

function readBinary(bytes: Buffer, headers: Headers): Answer {
  const headLength = Number(headers.get('inference-header-content-length'));
  if (!(headLength > 0)) throw new Error('the answer names no Inference-Header-Content-Length');
  const head = parseExactly(bytes.toString('utf8', 0, headLength)) as unknown as Head;
  let at = headLength;
  const outputs = head.outputs.map(({ name, datatype, shape, parameters }) => {
    const size = parameters?.binary_data_size;
    if (size === undefined) throw new Error(`output ${name} came without binary_data_size`);
    const values = fromBytes(datatype, bytes.subarray(at, at + size));
    at += size;
    return { name, datatype, shape, values };
  });
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes are left after the last output`);
  return { modelName: head.model_name, id: head.id, outputs };
}
