import type { Tensor } from '../base/tensor/tensor.ts';
import type { Clock } from '../base/util/clock.ts';
import type { ModelMetadata, ServerMetadata } from './metadata.ts';
import type { RetryOptions } from './retry.ts';

export interface ClientOptions {
  /**
   * Address of the server. `http://host:8000` and `https://host` speak HTTP, and a path in them is put before every
   * route; `grpc://host:8001` and `grpcs://host:8001` speak gRPC.
   */
  readonly url: string;
  /** Longest time for one call with all its attempts, in milliseconds, connecting included. Default 30 000. */
  readonly timeoutMs?: number;
  /** Over `https://` and `grpcs://`: whom to trust, and who to be. Default: the authorities that Node.js trusts. */
  readonly tls?: ClientTls;
  /** Sent with every request, such as `authorization`; over gRPC as metadata. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is tried again, and when. Default: three attempts. */
  readonly retry?: Partial<RetryOptions>;
  readonly clock?: Clock;
}

/** All as PEM. */
export interface ClientTls {
  /** Authorities to trust instead. */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate and its key, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface CallOptions {
  /** Longest time for this call with all its attempts, in milliseconds. Default: the client's. */
  readonly timeoutMs?: number;
  /** Ends the call; the server notices, and gives the request's place to another. */
  readonly signal?: AbortSignal;
}

/** Elements of BYTES as text or bytes, which are packed for the wire. */
export interface TextTensor {
  readonly name: string;
  readonly datatype: 'BYTES';
  readonly shape: readonly number[];
  readonly data: readonly (string | Uint8Array)[];
}

export interface InferCall extends CallOptions {
  readonly model: string;
  /** Default: the server's choice, the newest. */
  readonly version?: string;
  /** Echoed in the answer. */
  readonly id?: string;
  /** Their data are not copied: they must not change before the answer is there. */
  readonly inputs: readonly (Tensor | TextTensor)[];
  /** Names of the wanted outputs. Default: all. */
  readonly outputs?: readonly string[];
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /**
   * Over HTTP: tensors travel as bytes after the JSON header (the protocol's binary tensor extension). Default true;
   * false for servers without the extension, which cannot carry FP16 and BF16 then. gRPC always carries bytes.
   */
  readonly binary?: boolean;
}

export interface InferAnswer {
  readonly model: string;
  /** Empty where the server has no versions. */
  readonly version: string;
  readonly id: string;
  /** Their data are views over what was received, which nobody else holds. */
  readonly outputs: readonly Tensor[];
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A client of any server that speaks the Open Inference Protocol, over HTTP or gRPC.
 *
 * Every method throws NimifyError only: with the server's code where it sent one, `MODEL_NOT_READY` where there
 * is no connection, `DEADLINE_EXCEEDED`, `CANCELLED`. Metadata and inference are tried again where the request was
 * certainly not run (`RetryOptions`); questions about health are asked once.
 */
export interface Client {
  readonly url: string;
  /** The server process answers. */
  live(options?: CallOptions): Promise<boolean>;
  /** The server and every model that it should serve can take requests. */
  ready(options?: CallOptions): Promise<boolean>;
  serverMetadata(options?: CallOptions): Promise<ServerMetadata>;
  /** `version`: default the server's choice. @throws NimifyError MODEL_NOT_FOUND among others */
  modelMetadata(model: string, version?: string, options?: CallOptions): Promise<ModelMetadata>;
  /** False also of a model that the server does not know. `version`: default the server's choice. */
  modelReady(model: string, version?: string, options?: CallOptions): Promise<boolean>;
  infer(call: InferCall): Promise<InferAnswer>;
  /** Lets running calls finish, and closes the connections; nothing is tried again from then on. */
  close(): Promise<void>;
}
