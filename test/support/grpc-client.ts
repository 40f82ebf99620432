import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { pathOf } from '../../src/protocol/grpc/methods.ts';

/** Test support: gRPC's own client, with the messages of the generated code. */
export interface ReferenceClient {
  readonly client: Client;
  /** Rejects with what grpc-js makes of a failed call. */
  unary<Method extends DescMethod>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    options?: CallOptions & { readonly metadata?: Readonly<Record<string, string | Buffer>> },
  ): Promise<MessageShape<Method['output']>>;
  stream<Method extends DescMethod>(
    method: Method,
    options?: CallOptions & { readonly metadata?: Readonly<Record<string, string>> },
  ): ReferenceStream<Method>;
  close(): void;
}

export interface ReferenceStream<Method extends DescMethod> {
  readonly call: ClientDuplexStream<MessageInitShape<Method['input']>, MessageShape<Method['output']>>;
  send(request: MessageInitShape<Method['input']>): void;
  /** The next answer; undefined at the end. */
  next(): Promise<MessageShape<Method['output']> | undefined>;
  readonly status: Promise<StatusObject>;
}

export function connect(
  port: number,
  options: ClientOptions = {},
  channel: ChannelCredentials = credentials.createInsecure(),
): ReferenceClient {
  const client = new Client(`127.0.0.1:${port}`, channel, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  const serialize = (method: DescMethod) => (message: Record<string, unknown>) =>
    Buffer.from(toBinary(method.input, create(method.input, message)));
  const deserialize = (method: DescMethod) => (bytes: Buffer) => fromBinary(method.output, bytes);

  return {
    client,
    unary(method, request, { metadata = {}, ...callOptions } = {}) {
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          pathOf(method),
          serialize(method),
          deserialize(method),
          request as Record<string, unknown>,
          toMetadata(metadata),
          callOptions,
          (failed: ServiceError | null, response) =>
            failed === null ? resolve(response as never) : reject(failed),
        );
      });
    },
    stream(method, { metadata = {}, ...callOptions } = {}) {
      const call = client.makeBidiStreamRequest(
        pathOf(method),
        serialize(method) as never,
        deserialize(method) as never,
        toMetadata(metadata),
        callOptions,
      ) as ReferenceStream<typeof method>['call'];
      call.on('error', () => {});
      const status = new Promise<StatusObject>((resolve) => call.on('status', resolve));
      const answers = call[Symbol.asyncIterator]();
      return {
        call,
        status,
        send: (request) => void call.write(request),
        next: () =>
          answers.next().then(
            ({ value, done }) => (done === true ? undefined : value),
            () => undefined,
          ),
      };
    },
    close: () => client.close(),
  };
}

function toMetadata(fields: Readonly<Record<string, string | Buffer>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}
