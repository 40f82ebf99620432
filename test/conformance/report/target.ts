import type { DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { ServiceError } from '@grpc/grpc-js';
import { createPinoLogger } from '../../../src/base/telemetry/pino-log.ts';
import { createServer, type RunningServer, type ServerOptions } from '../../../src/server.ts';
import { connect, type ReferenceClient } from '../../support/grpc-client.ts';

/** The servers take no more, so that more is soon sent. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A server that runs, and both ways to ask it. */
export interface Target {
  /** Paths without the first slash, as the documents write them. Objects are sent as JSON, bytes as they are. */
  http(
    method: 'GET' | 'POST',
    path: string,
    body?: object | Uint8Array,
    headers?: Headers,
  ): Promise<HttpAnswer>;
  /** Gives refusals as well; never rejects. */
  grpc<Method extends DescMethod>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    options?: Parameters<ReferenceClient['unary']>[2],
  ): Promise<GrpcAnswer<MessageShape<Method['output']>>>;
  readonly client: ReferenceClient;
  /** Of gRPC, for other connections. */
  readonly port: number;
  /** The same of a server of which one model could not be loaded. */
  readonly unready: Omit<Target, 'unready' | 'withoutPaths'>;
  /** What the server says, the same on every machine: in one line, and without the folder of its repository. */
  withoutPaths(text: string): string;
}

type Headers = Readonly<Record<string, string>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body, or of its first part before binary data; undefined where there is none. */
  readonly body: unknown;
  /** The same as it came. */
  readonly text: string;
  /** What comes behind the JSON. */
  readonly binary: Buffer;
}

export interface GrpcAnswer<Message = unknown> {
  readonly code: number;
  readonly details: string;
  readonly trailers: Headers;
  readonly message: Message | undefined;
}

export interface Repository {
  readonly folder: string;
  readonly load: readonly string[];
}

export interface RunningTarget extends Target {
  close(): Promise<void>;
}

/**
 * @param whole a repository, and the models of it to load; the others come when they are asked for
 * @param broken folder of one with a model that cannot be loaded
 */
export async function startTarget(whole: Repository, broken: string): Promise<RunningTarget> {
  const explicit = { repository: { mode: 'explicit', load: whole.load } } as const;
  const strict = { repository: { exitOnError: false, strictReadiness: true } } as const;
  const servers = [await start(whole.folder, explicit), await start(broken, strict)] as const;
  const [target, unready] = servers.map(asTarget) as [Unpaired, Unpaired];
  return {
    ...target,
    unready,
    withoutPaths: (text) => text.replaceAll(`${whole.folder}/`, '').replace(/\n\s*/g, ' '),
    async close() {
      for (const { client } of [target, unready]) client.close();
      await Promise.all(servers.map((server) => server.close({ graceMs: 0 })));
    },
  };
}

type Unpaired = Target['unready'];

function start(models: string, options: Partial<ServerOptions>): Promise<RunningServer> {
  const log = createPinoLogger({ sink: { write() {} } });
  return createServer({
    ...{ models: [models], httpPort: 0, grpcPort: 0, metricsPort: false, log },
    http: { maxBodyBytes: MAX_BODY_BYTES },
    ...options,
  });
}

function asTarget(server: RunningServer): Unpaired {
  const port = Number(server.grpcAddress?.split(':').at(-1));
  const client = connect(port);
  return {
    client,
    port,
    async http(method, path, body, headers = {}) {
      const isBytes = body instanceof Uint8Array;
      const response = await fetch(`${server.url}/${path}`, {
        method,
        headers: { ...(isBytes ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const length = response.headers.get('inference-header-content-length');
      const cut = length === null ? bytes.length : Number(length);
      const text = bytes.toString('utf8', 0, cut);
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: text !== '' && (isJson || length !== null) ? JSON.parse(text) : undefined,
        text,
        binary: bytes.subarray(cut),
      };
    },
    async grpc(method, request, options) {
      try {
        const message = await client.unary(method, request, options);
        return { code: 0, details: '', trailers: {}, message };
      } catch (failed) {
        const { code, details, metadata } = failed as ServiceError;
        return { code, details, trailers: metadata.getMap() as Headers, message: undefined };
      }
    },
  };
}
