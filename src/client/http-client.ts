import { NimifyError, toNimifyError } from '../base/errors/nimify-error.ts';
import { decodeInferResponse } from '../base/oip/decode-response.ts';
import { encodeInferRequest } from '../base/oip/encode-request.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { Clock } from '../base/util/clock.ts';
import { type ModelMetadata, type ServerMetadata, toModelMetadata, toServerMetadata } from './metadata.ts';
import { toResponseError } from './response-error.ts';
import { createTransport, type TransportResponse } from './transport.ts';

export { NimifyError } from '../base/errors/nimify-error.ts';
export type { ErrorCode } from '../base/errors/table.ts';
export type { Tensor } from '../base/tensor/tensor.ts';
export type { ModelMetadata, ServerMetadata, TensorMetadata } from './metadata.ts';

export interface HttpClientOptions {
  /** Address of the server, such as `http://127.0.0.1:8000`; a path in it is put before every route. */
  readonly url: string;
  /** Longest time for one call, in milliseconds, connecting included. Default 30 000. */
  readonly timeoutMs?: number;
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export interface InferCall {
  readonly model: string;
  /** Default: the server's choice, the newest. */
  readonly version?: string;
  /** Echoed in the answer. */
  readonly id?: string;
  readonly inputs: readonly Tensor[];
  /** Names of the wanted outputs. Default: all. */
  readonly outputs?: readonly string[];
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /**
   * Tensors travel as bytes after the JSON header (the protocol's binary tensor extension). Default true; false
   * for servers without the extension, which cannot carry FP16 and BF16 then.
   */
  readonly binary?: boolean;
  /** Longest time for this call, in milliseconds. Default: the client's. */
  readonly timeoutMs?: number;
  /** Ends the wait; the server notices that the client left. */
  readonly signal?: AbortSignal;
}

export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  /** Their data are views over the received body, which nobody else holds. */
  readonly outputs: readonly Tensor[];
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A client of any server that speaks the Open Inference Protocol over HTTP.
 *
 * Every method throws NimifyError only: with the server's code where it sent one, `MODEL_NOT_READY` where there
 * is no connection (retryable), `DEADLINE_EXCEEDED`, `CANCELLED`.
 */
export interface HttpClient {
  readonly url: string;
  /** The server process answers. */
  live(): Promise<boolean>;
  /** The server and every model that it should serve can take requests. */
  ready(): Promise<boolean>;
  serverMetadata(): Promise<ServerMetadata>;
  modelMetadata(model: string, version?: string): Promise<ModelMetadata>;
  /** @throws NimifyError MODEL_NOT_FOUND among others */
  modelReady(model: string, version?: string): Promise<boolean>;
  infer(call: InferCall): Promise<InferAnswer>;
  /** A GET of any other JSON route of the server, such as `/v1/models`. */
  getJson(path: string): Promise<unknown>;
  /** Lets running calls finish, then closes the connections. */
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * ```ts
 * const client = createHttpClient({ url: 'http://127.0.0.1:8000' });
 * const input = { name: 'X', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) } as const;
 * const { outputs } = await client.infer({ model: 'iris', inputs: [input] });
 * await client.close();
 * ```
 * @throws NimifyError CONFIG_INVALID where `url` is no http address
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const transport = createTransport({
    url: options.url,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    headers: options.headers ?? {},
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });

  async function getJson(path: string): Promise<unknown> {
    const response = await transport.send({ method: 'GET', path });
    refuseFailure(response);
    return parseJson(response);
  }

  /** Health routes answer with their status; servers differ in which one says "not yet". */
  async function isOk(path: string): Promise<boolean> {
    const response = await transport.send({ method: 'GET', path });
    if (response.status >= 200 && response.status < 300) return true;
    if (response.status === 400 || response.status === 503) return false;
    throw toResponseError(failureOf(response));
  }

  async function infer(call: InferCall): Promise<InferAnswer> {
    const { chunks, headerLength } = encodeInferRequest(
      {
        inputs: call.inputs,
        ...(call.id === undefined ? {} : { id: call.id }),
        ...(call.parameters === undefined ? {} : { parameters: call.parameters }),
        ...(call.outputs === undefined ? {} : { outputs: call.outputs }),
      },
      { binary: call.binary ?? true },
    );
    const response = await transport.send({
      method: 'POST',
      path: `${modelPath(call.model, call.version)}/infer`,
      headers:
        headerLength === undefined
          ? { 'content-type': 'application/json' }
          : {
              'content-type': 'application/octet-stream',
              'inference-header-content-length': String(headerLength),
            },
      chunks,
      timeoutMs: call.timeoutMs,
      signal: call.signal,
    });
    refuseFailure(response);
    return decodeAnswer(response);
  }

  return {
    url: options.url,
    live: () => isOk('/v2/health/live'),
    ready: () => isOk('/v2/health/ready'),
    serverMetadata: async () => toServerMetadata(await getJson('/v2'), options.url),
    modelMetadata: async (model, version) =>
      toModelMetadata(await getJson(modelPath(model, version)), options.url),
    modelReady: (model, version) => isOk(`${modelPath(model, version)}/ready`),
    infer,
    getJson,
    close: () => transport.close(),
  };
}

/** Names are free text, `/` included, so they are escaped. */
function modelPath(model: string, version: string | undefined): string {
  const path = `/v2/models/${encodeURIComponent(model)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

function refuseFailure(response: TransportResponse): void {
  if (response.status < 200 || response.status >= 300) throw toResponseError(failureOf(response));
}

function failureOf(response: TransportResponse) {
  return {
    url: response.url,
    status: response.status,
    body: response.body,
    retryAfter: response.header('retry-after'),
  };
}

/** Undefined: the whole body is JSON. */
function toHeaderLength(response: TransportResponse): number | undefined {
  const text = response.header('inference-header-content-length');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function decodeAnswer(response: TransportResponse): InferAnswer {
  try {
    return decodeInferResponse(response.body, toHeaderLength(response));
  } catch (thrown) {
    const { message } = toNimifyError(thrown);
    throw new NimifyError(
      'ENGINE_FAILED',
      `${response.url} answered something else than the Open Inference Protocol: ${message}`,
      { details: { where: response.url }, cause: thrown },
    );
  }
}

function parseJson(response: TransportResponse): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(response.body));
  } catch (thrown) {
    throw new NimifyError(
      'ENGINE_FAILED',
      `${response.url} answered no JSON; is it an inference server, and the path right?`,
      { details: { where: response.url, expected: 'JSON' }, cause: thrown },
    );
  }
}
