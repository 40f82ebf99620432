import { validateHeaderName, validateHeaderValue } from 'node:http';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { decodeModelInferResponse } from '../base/oip/decode-protobuf-response.ts';
import { type EncodedInferMessage, encodeModelInferRequest } from '../base/oip/encode-protobuf.ts';
import { FRAME_HEADER_BYTES } from '../base/oip/grpc-frame.ts';
import { systemClock } from '../base/util/clock.ts';
import { type CallTime, createCalls } from './calls.ts';
import { toConnectionError } from './connection-error.ts';
import type { CallOptions, Client, ClientOptions } from './contract.ts';
import { createConnection } from './grpc/connection.ts';
import { readAnswer, readModelMetadata, readServerMetadata, writeModelName } from './grpc/messages.ts';
import { callUnary, notGrpc } from './grpc/unary.ts';
import { toTensors } from './input-tensors.ts';
import { toModelMetadata, toServerMetadata } from './metadata.ts';

const SERVICE = '/inference.GRPCInferenceService';
/** What servers answer where "no" is meant: NOT_FOUND, of a model; UNAVAILABLE. */
const NOT_YET: ReadonlySet<unknown> = new Set([5, 14]);
/** Triton's, and nimify's. */
const DEFAULT_PORT = '8001';

/**
 * A client over gRPC, all of whose calls share one HTTP/2 connection.
 * @throws NimifyError CONFIG_INVALID where `url` is no grpc address, or a header cannot be sent
 */
export function createGrpcClient(options: ClientOptions): Client {
  const { url } = options;
  const { clock = systemClock } = options;
  const headers = toMetadata(options.headers ?? {});
  const connection = createConnection(toOrigin(url), clock, options.tls);
  const calls = createCalls(options);

  /** One attempt. */
  async function send<T>(
    method: string,
    message: EncodedInferMessage,
    read: (bytes: Uint8Array, rawContents: readonly Uint8Array[]) => T,
    time: CallTime,
  ): Promise<T> {
    const session = connection.enter();
    try {
      const answer = await callUnary(session, { path: `${SERVICE}/${method}`, headers, message }, time, url);
      return readOrBlame(() => read(answer.bytes, answer.rawContents ?? []), url);
    } catch (thrown) {
      // Nobody may be there any more: the next call must not wait for that to be found out by itself.
      if (time.cancel.reason === 'deadline') connection.probe(session);
      throw thrown instanceof NimifyError ? thrown : toConnectionError(thrown, url);
    } finally {
      connection.leave(session);
    }
  }

  function isTrue(method: string, message: EncodedInferMessage, callOptions?: CallOptions): Promise<boolean> {
    return calls.run(
      async (time) => {
        try {
          return await send(method, message, readAnswer, time);
        } catch (thrown) {
          if (thrown instanceof NimifyError && NOT_YET.has(thrown.details?.grpcStatus)) return false;
          throw thrown;
        }
      },
      callOptions,
      'once',
    );
  }

  return {
    url,
    live: (callOptions) => isTrue('ServerLive', writeModelName(), callOptions),
    ready: (callOptions) => isTrue('ServerReady', writeModelName(), callOptions),
    modelReady: (model, version, callOptions) =>
      isTrue('ModelReady', writeModelName(model, version), callOptions),
    async serverMetadata(callOptions) {
      const message = writeModelName();
      const metadata = await calls.run(
        (time) => send('ServerMetadata', message, readServerMetadata, time),
        callOptions,
      );
      return toServerMetadata(metadata, url);
    },
    async modelMetadata(model, version, callOptions) {
      const message = writeModelName(model, version);
      const metadata = await calls.run(
        (time) => send('ModelMetadata', message, readModelMetadata, time),
        callOptions,
      );
      return toModelMetadata(metadata, url);
    },
    async infer({ version = '', inputs, ...call }) {
      const message = encodeModelInferRequest(
        { ...call, version, inputs: toTensors(inputs) },
        FRAME_HEADER_BYTES,
      );
      const read = (bytes: Uint8Array, rawContents: readonly Uint8Array[]) =>
        decodeModelInferResponse({ bytes, rawContents });
      return calls.run((time) => send('ModelInfer', message, read, time), call);
    },
    close() {
      calls.close();
      return connection.close();
    },
  };
}

function readOrBlame<T>(read: () => T, url: string): T {
  try {
    return read();
  } catch (thrown) {
    throw notGrpc(url, thrown);
  }
}

/** @throws NimifyError CONFIG_INVALID */
function toOrigin(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed === undefined ? undefined : { 'grpc:': 'http', 'grpcs:': 'https' }[parsed.protocol];
  if (parsed === undefined || scheme === undefined || parsed.hostname === '' || parsed.pathname.length > 1) {
    throw new NimifyError('CONFIG_INVALID', `'${url}' is no address; expected grpc://host:port`, {
      details: { where: 'url', expected: 'grpc://host:port', got: url },
    });
  }
  return `${scheme}://${parsed.hostname}:${parsed.port === '' ? DEFAULT_PORT : parsed.port}`;
}

/** @throws NimifyError CONFIG_INVALID */
function toMetadata(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new NimifyError(
        'CONFIG_INVALID',
        `headers: '${name}' is no name of a header, or has a value that is none`,
        {
          details: { where: `headers.${name}` },
          cause,
        },
      );
    }
    metadata[name.toLowerCase()] = value;
  }
  return metadata;
}
