import { credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { GRPCInferenceService } from '../../src/protocol/grpc/generated/inference/service_pb.ts';
import { jsonOf } from '../../src/protocol/http/raw-client.ts';
import { IRIS_BODY } from '../chaos/models.ts';
import { connect } from '../support/grpc-client.ts';
import { DIGITS, IRIS, modelRepository } from '../support/model-repository.ts';
import { type Client, closeProcesses, PROCESSES, serveProcesses } from './start-processes.ts';

afterEach(closeProcesses);

const { modelStatistics, repositoryModelLoad } = GRPCInferenceService.method;

describe.runIf(process.platform === 'linux')('processes that serve one address', () => {
  const repository = modelRepository();

  function fill(): void {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(DIGITS, 'digits/1/model.onnx');
  }

  const serve = (...flags: readonly string[]) =>
    serveProcesses(repository.path, '--model-control-mode', 'explicit', ...flags);

  const each = (clients: readonly Client[], method: 'GET' | 'POST', path: string, body?: string) =>
    Promise.all(clients.map((client) => client.ask(method, path, body)));
  const statusOfEach = async (...asked: Parameters<typeof each>) =>
    (await each(...asked)).map(({ status }) => status);
  const statesOfEach = async (clients: readonly Client[]) =>
    (await each(clients, 'POST', '/v2/repository/index')).map(({ body }) =>
      (JSON.parse(body.toString()) as { name: string; state: string }[]).map(
        ({ name, state }) => `${name} ${state}`,
      ),
    );

  it('load and unload together, and one that is replaced is in the state of the others', async () => {
    fill();
    const { clients, serving, metric, grpcPort } = await serve('--load-model', 'iris');
    const both = await clients();
    const ask = (model: string) => statusOfEach(both, 'GET', `/v2/models/${model}/ready`);
    expect(await ask('iris')).toEqual([200, 200]);
    expect(await ask('digits')).toEqual([404, 404]);

    const load = { parameters: { config: '{"max_batch_size": 4}' } };
    const loaded = await both[1]!.ask('POST', '/v2/repository/models/digits/load', JSON.stringify(load));
    expect(loaded.status).toBe(200);
    expect((await both[0]!.ask('POST', '/v2/repository/models/iris/unload')).status).toBe(200);
    expect(await ask('iris')).toEqual([404, 404]);
    expect(await ask('digits')).toEqual([200, 200]);
    expect(await statesOfEach(both)).toEqual(Array(2).fill(['digits READY', 'iris UNAVAILABLE']));

    const refused = await each(both, 'POST', '/v2/repository/models/none/load');
    expect(refused.map(({ status }) => status)).toEqual([404, 404]);
    expect(jsonOf(refused[0]!).error).toMatch(/^failed to load 'none'/);

    process.kill(serving()[0]!, 'SIGKILL');
    await expect.poll(() => metric('nimify_process_restarts_total')).toBe(1);
    await expect.poll(() => metric('nimify_processes ')).toBe(PROCESSES);
    for (const client of both) client.close();
    const after = await clients();
    const configs = await each(after, 'GET', '/v2/models/digits/config');
    expect(configs.map((answer) => jsonOf(answer).max_batch_size)).toEqual([4, 4]);
    expect(await statusOfEach(after, 'GET', '/v2/models/iris/ready')).toEqual([404, 404]);

    const client = connect(grpcPort, {}, credentials.createInsecure());
    await client.unary(repositoryModelLoad, { modelName: 'iris' });
    expect(await statusOfEach(after, 'GET', '/v2/models/iris/ready')).toEqual([200, 200]);
    client.close();
  });

  it('tell what was counted in all, and log what one is told to', async () => {
    fill();
    const { clients, grpcPort, running } = await serve('--load-model', '*', '--log-level', 'warn');
    const both = await clients();
    for (let i = 0; i < 3; i += 1) {
      expect(await statusOfEach(both, 'POST', '/v2/models/iris/infer', IRIS_BODY)).toEqual([200, 200]);
    }
    const stats = await each(both, 'GET', '/v2/models/iris/stats');
    for (const answer of stats) {
      const [{ inference_count, inference_stats, batch_stats }] = jsonOf(answer).model_stats as [
        { inference_count: number; inference_stats: { success: { count: number } }; batch_stats: object[] },
      ];
      expect([inference_count, inference_stats.success.count, batch_stats]).toEqual([
        6,
        6,
        [expect.objectContaining({ batch_size: 1 })],
      ]);
    }
    const client = connect(grpcPort, {}, credentials.createInsecure());
    const { modelStats } = await client.unary(modelStatistics, { name: 'iris' });
    expect(modelStats.map(({ inferenceCount }) => inferenceCount)).toEqual([6n]);
    client.close();
    expect(await statusOfEach(both, 'GET', '/v2/models/none/stats')).toEqual([404, 404]);

    const told = await both[1]!.ask('POST', '/v2/logging', '{"log_info": true}');
    expect(told.status).toBe(200);
    const settings = await each(both, 'GET', '/v2/logging');
    expect(settings.map((answer) => jsonOf(answer).log_info)).toEqual([true, true]);
    // The one that started them says what it does as well.
    running.process.kill('SIGTERM');
    expect((await running.finished).stderr).toContain('draining all processes');
  });
});
