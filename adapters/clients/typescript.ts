// <models>
const DEFAULT_URL = 'http://127.0.0.1:8000';

/** What the model `iris` takes. */
export interface IrisInputs {
  /** FP32 [N,4] */
  readonly X: Tensor<Float32Array | readonly number[], readonly [number, 4]>;
}

/** What the model `iris` answers. */
export interface IrisOutputs {
  /** INT64 [N] */
  readonly label: Tensor<BigInt64Array, readonly [number]>;
}

/** Every model, by its name. */
export interface Models {
  readonly iris: { readonly inputs: IrisInputs; readonly outputs: IrisOutputs };
}

const MODELS: ModelTable = new Map([['iris', { inputs: [['X', 'FP32']], outputs: [['label', 'INT64']] }]]);
// </models>

/** A tensor: its dimensions, and its elements in row-major order. */
export interface Tensor<Data, Shape extends readonly number[] = readonly number[]> {
  readonly shape: Shape;
  readonly data: Data;
}

/** An output of text, or of bytes that need not be text: `bytes` has them as they came. */
export interface TextTensor<Shape extends readonly number[] = readonly number[]>
  extends Tensor<readonly string[], Shape> {
  readonly bytes: readonly Uint8Array[];
}

export interface ClientOptions {
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest time for one call, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
}

export interface CallOptions<Output extends string = string> {
  /** Default: the server's choice, the newest. */
  readonly version?: string;
  /** Names of the outputs that are wanted. Default: all. */
  readonly outputs?: readonly Output[];
  /** Longest time for this call, in milliseconds; the server is told too. Default: the client's. */
  readonly timeoutMs?: number;
  /** Ends the call; the server notices. */
  readonly signal?: AbortSignal;
}

/**
 * Why there is no answer. `code` is the server's where it sent one, such as `INVALID_INPUT`, `MODEL_NOT_FOUND`,
 * `OVERLOADED`; else `MODEL_NOT_READY` where there is no connection, `DEADLINE_EXCEEDED`, `CANCELLED`, or `HTTP_` and
 * the status.
 */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly code: string;
  /** HTTP status; undefined where the server did not answer. */
  readonly status: number | undefined;
  /** Where the request is wrong, what was expected and what came. */
  readonly details: unknown;
  /** When to try again, in milliseconds, where the server says it. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    more: {
      readonly status?: number;
      readonly details?: unknown;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = more.status;
    this.details = more.details;
    this.retryAfterMs = more.retryAfterMs;
  }
}

type OutputsOf<Name extends keyof Models> = Models[Name]['outputs'];
type OutputName<Name extends keyof Models> = keyof OutputsOf<Name> & string;

/** Asks a server of the Open Inference Protocol over HTTP. Every method throws `InferenceError`. */
export class Client {
  readonly #url: string;
  readonly #options: ClientOptions;

  constructor(url: string = DEFAULT_URL, options: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#options = options;
  }

  /** Asks a model. Inputs that are typed arrays are sent as they are; outputs are views over what came. */
  async infer<Name extends keyof Models, Output extends OutputName<Name> = OutputName<Name>>(
    model: Name,
    inputs: Models[Name]['inputs'],
    options: CallOptions<Output> = {},
  ): Promise<Pick<OutputsOf<Name>, Output>> {
    const spec = MODELS.get(model);
    if (spec === undefined)
      throw new InferenceError('MODEL_NOT_FOUND', `this client knows no model '${model}'`);
    const wanted = options.outputs ?? spec.outputs.map(([name]) => name);
    const { body, headerLength } = encode(spec, inputs as unknown as InputValues, wanted);
    const version = options.version === undefined ? '' : `/versions/${encodeURIComponent(options.version)}`;
    const response = await this.#send(`/v2/models/${encodeURIComponent(model)}${version}/infer`, options, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': String(headerLength),
      },
      body,
    });
    if (!response.ok) throw refusal(response);
    return decode(response, wanted) as Pick<OutputsOf<Name>, Output>;
  }

  /** Can the server, or one model, take requests? */
  async ready(model?: keyof Models, options: CallOptions = {}): Promise<boolean> {
    const path = model === undefined ? '/v2/health/ready' : `/v2/models/${encodeURIComponent(model)}/ready`;
    const response = await this.#send(path, options, { method: 'GET' });
    if (response.ok) return true;
    if (response.status === 400 || response.status === 503) return false;
    const error = refusal(response);
    if (error.code === 'MODEL_NOT_FOUND') return false;
    throw error;
  }

  async #send(path: string, call: CallOptions, request: RequestInit): Promise<Answer> {
    const url = `${this.#url}${path}`;
    const timeoutMs = call.timeoutMs ?? this.#options.timeoutMs ?? 30_000;
    const abort = new AbortController();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      abort.abort();
    }, timeoutMs);
    const leave = () => abort.abort();
    if (call.signal?.aborted === true) leave();
    call.signal?.addEventListener('abort', leave);
    try {
      const response = await fetch(url, {
        ...request,
        headers: {
          ...this.#options.headers,
          ...(request.headers as Record<string, string> | undefined),
          'x-request-deadline': `${Math.max(1, Math.round(timeoutMs))}ms`,
        },
        signal: abort.signal,
      });
      const { ok, status, headers } = response;
      return { url, ok, status, headers, body: await response.arrayBuffer() };
    } catch (cause) {
      if (isLate)
        throw new InferenceError('DEADLINE_EXCEEDED', `${url} did not answer within ${timeoutMs} ms`);
      if (abort.signal.aborted) throw new InferenceError('CANCELLED', `the request to ${url} was cancelled`);
      throw new InferenceError('MODEL_NOT_READY', `${url} cannot be reached`, { cause });
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', leave);
    }
  }
}

/** An answer of HTTP, with all of its body. */
interface Answer {
  readonly url: string;
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/** Typed arrays by datatype; 16-bit floats are kept as bits. */
const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

type Numbers =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;
type Datatype = keyof typeof ARRAYS | 'BYTES';
type TensorName = readonly [name: string, datatype: Datatype];
/** Inputs and outputs of each model, by its name. */
type ModelTable = ReadonlyMap<
  string,
  { readonly inputs: readonly TensorName[]; readonly outputs: readonly TensorName[] }
>;
type Element = number | bigint | boolean | string | Uint8Array;
type InputValues = Readonly<Record<string, Tensor<ArrayLike<Element>> | undefined>>;

/** JSON that describes the tensors, and their bytes one after the other behind it, in one buffer. */
function encode(
  spec: { readonly inputs: readonly TensorName[] },
  values: InputValues,
  outputs: readonly string[],
): { readonly body: ArrayBuffer; readonly headerLength: number } {
  const sections: Uint8Array[] = [];
  const inputs = spec.inputs.map(([name, datatype]) => {
    const tensor = Object.hasOwn(values, name) ? values[name] : undefined;
    if (tensor === undefined) throw invalid(`${name}: expected a tensor, got none`);
    const { shape, data } = tensor;
    const count = shape.reduce((product, size) => product * size, 1);
    if (data.length !== count) {
      throw invalid(`${name}: the shape [${shape.join(',')}] has ${count} elements, the data ${data.length}`);
    }
    const section = toBytes(name, datatype, data);
    sections.push(section);
    return { name, datatype, shape, parameters: { binary_data_size: section.byteLength } };
  });
  const header = new TextEncoder().encode(
    JSON.stringify({ inputs, outputs: outputs.map((name) => ({ name, parameters: { binary_data: true } })) }),
  );
  const body = new Uint8Array(sections.reduce((sum, { byteLength }) => sum + byteLength, header.byteLength));
  let at = 0;
  for (const part of [header, ...sections]) {
    body.set(part, at);
    at += part.byteLength;
  }
  return { body: body.buffer, headerLength: header.byteLength };
}

/** Elements as they travel: little-endian, of BYTES each with its length before it. */
function toBytes(name: string, datatype: Datatype, data: ArrayLike<Element>): Uint8Array {
  if (datatype === 'BYTES') return packTexts(data as ArrayLike<string | Uint8Array>);
  const numbers =
    datatype === 'FP16' || datatype === 'BF16'
      ? Uint16Array.from(
          toNumbers(name, 'FP64', data) as Float64Array,
          datatype === 'FP16' ? toHalf : toBfloat16,
        )
      : toNumbers(name, datatype, data);
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function toNumbers(name: string, datatype: keyof typeof ARRAYS, data: ArrayLike<Element>): Numbers {
  const ArrayType = ARRAYS[datatype];
  if (data instanceof ArrayType) return data;
  const isLong = datatype === 'INT64' || datatype === 'UINT64';
  const numbers = new ArrayType(data.length);
  for (let index = 0; index < data.length; index += 1) {
    const value = data[index] as number | bigint | boolean;
    if (typeof value === 'string') throw invalid(`${name}.data[${index}]: expected a number, got a text`);
    try {
      numbers[index] = isLong ? BigInt(value) : Number(value);
    } catch {
      throw invalid(`${name}.data[${index}]: expected a whole number, got ${value}`);
    }
    // A typed array wraps what it cannot hold.
    if (!datatype.startsWith('FP') && Number(numbers[index]) !== Number(value)) {
      throw invalid(`${name}.data[${index}]: expected a number of ${datatype}, got ${value}`);
    }
  }
  return numbers;
}

function packTexts(texts: ArrayLike<string | Uint8Array>): Uint8Array {
  const encoder = new TextEncoder();
  const elements = Array.from(texts, (text) => (typeof text === 'string' ? encoder.encode(text) : text));
  const bytes = new Uint8Array(elements.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.length, true);
    bytes.set(element, at + 4);
    at += 4 + element.length;
  }
  return bytes;
}

/** An output as the server describes it. */
interface OutputHeader {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Elements in JSON, where the server does not send bytes. */
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}

function decode({ url, headers, body }: Answer, wanted: readonly string[]): object {
  const headerLength = headers.get('inference-header-content-length');
  let at = headerLength === null ? body.byteLength : Number(headerLength);
  const tensors = new Map<string, object>();
  try {
    const { outputs } = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 0, at))) as {
      readonly outputs: readonly OutputHeader[];
    };
    for (const output of outputs) {
      const size = output.parameters?.binary_data_size;
      tensors.set(
        output.name,
        size === undefined ? fromJson(output) : fromBytes(output, new Uint8Array(body, at, size)),
      );
      at += size ?? 0;
    }
  } catch (cause) {
    throw new InferenceError('ENGINE_FAILED', `${url} did not answer in the Open Inference Protocol`, {
      cause,
    });
  }
  const missing = wanted.find((name) => !tensors.has(name));
  if (missing !== undefined)
    throw new InferenceError('ENGINE_FAILED', `${url} answered without '${missing}'`);
  return Object.fromEntries(wanted.map((name) => [name, tensors.get(name)]));
}

function fromBytes({ datatype, shape }: OutputHeader, section: Uint8Array): object {
  if (datatype === 'BYTES') return textTensor(shape, unpackTexts(section));
  const ArrayType = ARRAYS[datatype];
  const size = ArrayType.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = section.byteOffset % size === 0 ? section : section.slice();
  const data = new ArrayType(buffer as ArrayBuffer, byteOffset, byteLength / size);
  if (datatype === 'FP16') return { shape, data: Float32Array.from(data as Uint16Array, fromHalf) };
  if (datatype === 'BF16') return { shape, data: Float32Array.from(data as Uint16Array, fromBfloat16) };
  return { shape, data };
}

function unpackTexts(section: Uint8Array): Uint8Array[] {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < section.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    elements.push(section.subarray(at + 4, end));
    at = end;
  }
  return elements;
}

function textTensor(shape: readonly number[], bytes: readonly Uint8Array[]): TextTensor {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return { shape, data: bytes.map((element) => decoder.decode(element)), bytes };
}

function fromJson({ datatype, shape, data = [] }: OutputHeader): object {
  const elements = data.flat(Number.POSITIVE_INFINITY);
  if (datatype === 'BYTES') {
    const encoder = new TextEncoder();
    return textTensor(
      shape,
      elements.map((text) => encoder.encode(String(text))),
    );
  }
  // JSON has no number for what is not finite: servers write words.
  if (datatype === 'FP64') return { shape, data: Float64Array.from(elements, Number) };
  const isFloat = datatype === 'FP16' || datatype === 'BF16' || datatype === 'FP32';
  if (isFloat) return { shape, data: Float32Array.from(elements, Number) };
  return { shape, data: toNumbers('data', datatype, elements as number[]) };
}

const SINGLE = new Float32Array(1);
const BITS = new Uint32Array(SINGLE.buffer);

/** The nearest number of a 16-bit format, ties to even: its bits. `least`: the exponent of the smallest normal one. */
function round(value: number, fractionBits: number, least: number, infinity: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return infinity | (infinity >> 1);
  const magnitude = Math.abs(value);
  const exponent = Math.max(least, magnitude === 0 ? least : exponentOf(magnitude));
  if (exponent > -least + 1) return sign | infinity;
  const units = magnitude * 2 ** (fractionBits - exponent);
  const floor = Math.floor(units);
  const rest = units - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  return sign | Math.min(((exponent - least) << fractionBits) + floor + (isUp ? 1 : 0), infinity);
}

function exponentOf(magnitude: number): number {
  const exponent = Math.floor(Math.log2(magnitude));
  // The logarithm is rounded, so it can be one too large just below a power of two.
  return 2 ** exponent > magnitude ? exponent - 1 : exponent;
}

function toHalf(value: number): number {
  return round(value, 10, -14, 0x7c00);
}

function toBfloat16(value: number): number {
  return round(value, 7, -126, 0x7f80);
}

function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction : fraction + 0x400) * 2 ** (Math.max(exponent, 1) - 25);
}

function fromBfloat16(bits: number): number {
  BITS[0] = bits << 16;
  return SINGLE[0] as number;
}

function invalid(message: string): InferenceError {
  return new InferenceError('INVALID_INPUT', message);
}

/** The protocol's error object, with what nimify adds. */
interface Refusal {
  readonly error?: unknown;
  readonly code?: unknown;
  readonly details?: unknown;
}

/** The server's own words and code; proxies have neither. */
function refusal({ url, status, headers, body }: Answer): InferenceError {
  const seconds = headers.get('retry-after');
  let told: Refusal = {};
  try {
    told = (JSON.parse(new TextDecoder().decode(body)) as Refusal | null) ?? {};
  } catch {
    // A body that is no JSON says nothing.
  }
  const { error, code, details } = told;
  return new InferenceError(
    typeof code === 'string' ? code : `HTTP_${status}`,
    typeof error === 'string' ? error : `${url} answered ${status}`,
    {
      status,
      details,
      ...(seconds !== null && /^\d+$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {}),
    },
  );
}
