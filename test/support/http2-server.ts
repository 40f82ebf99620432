import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { RequestContext } from '../../src/model/context.ts';
import type { createFakeModel } from '../../src/model/fake-model.ts';
import type { GrpcOptions } from '../../src/protocol/grpc/deps.ts';
import { serveFake } from '../../src/protocol/grpc/fake-registry.ts';
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from '../../src/protocol/grpc/generated/inference/infer_pb.ts';
import { framed } from '../../src/protocol/grpc/raw-client.ts';
import type { ServerTls } from '../../src/protocol/server-tls.ts';
import type { StreamOutcome } from './http2-client.ts';
import { dataFrames, FLAG, headers } from './http2-frames.ts';
import { callBlock } from './http2-hpack.ts';

/** Test support: a server of two models that give back what they get: `echo` at once, `held` when it is told to. */
export interface Served {
  readonly port: number;
  /** Of the calls that `held` has got. */
  readonly held: readonly RequestContext[];
  release(): void;
  /** What the server calls a fault of its own. */
  readonly faults: readonly string[];
  /** Calls that were answered, one way or another. */
  readonly outcomes: readonly unknown[];
  /** @param options default: at once */
  close(options?: { readonly graceMs: number }): Promise<void>;
}

export async function serveHttp2(options: Partial<GrpcOptions> = {}, tls?: ServerTls): Promise<Served> {
  const waiting: (() => void)[] = [];
  const server = await serveFake(
    [
      { name: 'echo' },
      {
        name: 'held',
        async answer({ inputs }) {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return inputs.map((input) => ({ ...input, name: 'y' }));
        },
      },
    ],
    // Whoever tests pings as often as it likes.
    { minRecvPingIntervalMs: 0, ...options },
    undefined,
    tls,
  );
  const { contexts } = server.registry.find('held').model as ReturnType<typeof createFakeModel>;
  return {
    port: server.port,
    held: contexts,
    release: () => waiting.splice(0).forEach((answer) => void answer()),
    faults: server.logged,
    outcomes: server.outcomes,
    close: (options = { graceMs: 0 }) => server.server.close(options),
  };
}

/** A request of so many rows of 16 bytes, in gRPC's frame. */
export function message(id: string, { rows = 1, model = 'echo' } = {}): Buffer {
  const raw = Buffer.alloc(rows * 16, id);
  const request = create(ModelInferRequestSchema, {
    ...{ modelName: model, id, rawInputContents: [raw] },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 4n] }],
  });
  return framed(toBinary(ModelInferRequestSchema, request));
}

/** A whole call. */
export function call(streamId: number, payload: Uint8Array = message('a')): Buffer {
  return Buffer.concat([headers(streamId, callBlock()), dataFrames(streamId, payload, FLAG.endStream)]);
}

/**
 * `answered ID`: by a whole message with the right contents, and trailers. `refused`: by a head and nothing else.
 * `reset CODE`; `nothing`: not yet.
 */
export function verdictOf({ headers: heads, body, isEnded, reset }: StreamOutcome): string {
  if (reset !== undefined && reset !== 'NO_ERROR') return `reset ${reset}`;
  if (!isEnded) return 'nothing';
  if (body.length === 0) return heads === 1 ? 'refused' : `ended with ${heads} heads and no body`;
  if (heads !== 2) return `ended with ${heads} heads`;
  if (body.length !== 5 + body.readUInt32BE(1)) return `ended with ${body.length} bytes`;
  const { id, rawOutputContents, outputs } = fromBinary(ModelInferResponseSchema, body.subarray(5));
  const rows = Number(outputs[0]?.shape[0]);
  const isRight = Buffer.alloc(rows * 16, id).equals(rawOutputContents[0] ?? Buffer.alloc(0));
  return isRight ? `answered ${id}` : `answered ${id} with other bytes`;
}
