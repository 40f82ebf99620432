import { NimifyError, toNimifyError } from '../base/errors/nimify-error.ts';
import { decodeInferResponse } from '../base/oip/decode-response.ts';
import { encodeInferRequest } from '../base/oip/encode-request.ts';
import { createCalls } from './calls.ts';
import type { CallOptions, Client, ClientOptions, InferAnswer, InferCall } from './contract.ts';
import { toTensors } from './input-tensors.ts';
import { toModelMetadata, toServerMetadata } from './metadata.ts';
import { toResponseError } from './response-error.ts';
import { createTransport, type TransportRequest, type TransportResponse } from './transport.ts';

/** What the protocol has over HTTP only. */
export interface HttpClient extends Client {
  /** A GET of any other JSON route of the server, such as `/v1/models`. */
  getJson(path: string, options?: CallOptions): Promise<unknown>;
}

/**
 * A client over HTTP.
 * @throws NimifyError CONFIG_INVALID where `url` is no http address
 */
export function createHttpClient(options: ClientOptions): HttpClient {
  const { url } = options;
  const transport = createTransport({ url, headers: options.headers ?? {}, tls: options.tls });
  const calls = createCalls(options);

  function getJson(path: string, callOptions?: CallOptions): Promise<unknown> {
    return calls.run(async (time) => {
      const response = await transport.send({ method: 'GET', path }, time);
      refuseFailure(response);
      return parseJson(response);
    }, callOptions);
  }

  /** Health routes answer with their status; servers differ in which one says "not yet". */
  function isOk(path: string, callOptions?: CallOptions): Promise<boolean> {
    return calls.run(
      async (time) => {
        const response = await transport.send({ method: 'GET', path }, time);
        if (response.status >= 200 && response.status < 300) return true;
        if (response.status === 400 || response.status === 503) return false;
        const error = toResponseError(failureOf(response));
        if (error.code === 'MODEL_NOT_FOUND') return false;
        throw error;
      },
      callOptions,
      'once',
    );
  }

  return {
    url,
    live: (callOptions) => isOk('/v2/health/live', callOptions),
    ready: (callOptions) => isOk('/v2/health/ready', callOptions),
    serverMetadata: async (callOptions) => toServerMetadata(await getJson('/v2', callOptions), url),
    modelMetadata: async (model, version, callOptions) =>
      toModelMetadata(await getJson(modelPath(model, version), callOptions), url),
    modelReady: (model, version, callOptions) => isOk(`${modelPath(model, version)}/ready`, callOptions),
    async infer(call) {
      const request = toRequest(call);
      return calls.run(async (time) => {
        const response = await transport.send(request, time);
        refuseFailure(response);
        return decodeAnswer(response);
      }, call);
    },
    getJson,
    close() {
      calls.close();
      return transport.close();
    },
  };
}

function toRequest({ model, version, inputs, binary = true, ...call }: InferCall): TransportRequest {
  const { chunks, headerLength } = encodeInferRequest({ ...call, inputs: toTensors(inputs) }, { binary });
  const headers: Record<string, string> =
    headerLength === undefined
      ? { 'content-type': 'application/json' }
      : {
          'content-type': 'application/octet-stream',
          'inference-header-content-length': String(headerLength),
        };
  return { method: 'POST', path: `${modelPath(model, version)}/infer`, headers, chunks };
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

function decodeAnswer(response: TransportResponse): InferAnswer {
  try {
    return decodeInferResponse(response.body, response.headerLength);
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
