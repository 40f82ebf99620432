/** Loading goes on when whoever asked for it leaves, as in Triton. */
import { connect } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../src/base/telemetry/log.ts';
import { GRPCInferenceService } from '../../src/protocol/grpc/generated/inference/service_pb.ts';
import { pathOf } from '../../src/protocol/grpc/methods.ts';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { rawRequest } from '../../src/protocol/http/raw-client.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { IRIS, modelRepository } from '../support/model-repository.ts';
import { askIris } from '../support/repository-server.ts';

const LOAD = GRPCInferenceService.method.repositoryModelLoad;

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 5000 }));

function askOverHttp({ url }: RunningServer): () => void {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(rawRequest('POST', '/v2/repository/models/iris/load'));
  return () => void socket.resetAndDestroy();
}

function askOverGrpc({ grpcAddress = '' }: RunningServer): () => void {
  const client = connectRaw(Number(grpcAddress.split(':').at(-1)));
  void client.call(pathOf(LOAD), [framed(toBinary(LOAD.input, create(LOAD.input, { modelName: 'iris' })))]);
  return client.close;
}

describe('a load goes on when its client leaves', () => {
  const repository = modelRepository();

  it.each([
    ['HTTP', askOverHttp],
    ['gRPC', askOverGrpc],
  ])('that asked over %s', async (_protocol, ask) => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const faults: string[] = [];
    const note = (_fields: object, message: string) => void faults.push(message);
    server = await createServer({
      models: [repository.path],
      ...{ httpPort: 0, grpcPort: 0, metricsPort: false },
      repository: { mode: 'explicit' },
      log: { ...SILENT, level: 'info', error: note, warn: note },
    });
    const { control } = server;
    const load = control.load.bind(control);
    let loaded: Promise<void> | undefined;
    const begun = new Promise<void>((resolve) => {
      control.load = (...asked) => {
        loaded = load(...asked);
        resolve();
        return loaded;
      };
    });
    const leave = ask(server);
    await begun;
    leave();
    await expect(loaded).resolves.toBeUndefined();
    expect((await askIris(server)).status).toBe(200);
    expect(faults).toEqual([]);
  });
});
