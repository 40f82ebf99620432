import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { openRaw } from '../../src/protocol/http/raw-client.ts';
import { askIris, IRIS } from '../chaos/models.ts';
import { packed, protobuf } from '../support/protobuf.ts';
import { closeProcesses, PROCESSES, serveProcesses, startProcesses } from './start-processes.ts';

afterEach(closeProcesses);

describe.runIf(process.platform === 'linux')('nimify serve --processes', () => {
  it('serves one address from several, adds up what they count, replaces who ends, and drains all', async () => {
    const { running, url, grpcPort, serving, metric, metricsUrl } = await serveProcesses(
      IRIS.path,
      '--model-name',
      'iris',
    );
    for (let i = 0; i < 10; i += 1) expect(await askIris(url)).toBe(200);
    const client = connectRaw(grpcPort);
    const input = protobuf({ 1: 'X', 2: 'FP32', 3: packed(1, 4) });
    const request = framed(protobuf({ 1: 'iris', 5: input, 7: new Uint8Array(16) }));
    const { trailers } = await client.call('/inference.GRPCInferenceService/ModelInfer', [request]);
    client.close();
    expect(trailers['grpc-status']).toBe('0');
    expect(await metric('nimify_requests_total')).toBe(11);
    expect(await metric('nimify_request_duration_seconds_count')).toBe(11);
    expect(await metric('nimify_build_info')).toBe(1);
    const own = await (await fetch(`${url}/v1/metrics`)).text();
    expect(own).toContain(`nimify_processes ${PROCESSES}\n`);

    const [victim = 0, other] = serving();
    process.kill(victim, 'SIGKILL');
    await expect.poll(() => metric('nimify_process_restarts_total')).toBe(1);
    await expect.poll(() => metric('nimify_processes ')).toBe(PROCESSES);
    expect(serving()).toContain(other);
    expect(serving()).not.toContain(victim);
    // What it counted is not forgotten: a sum that falls is read as a new beginning.
    expect(await metric('nimify_requests_total')).toBe(11);
    expect(await askIris(url)).toBe(200);

    expect((await fetch(metricsUrl)).status).toBe(200);
    running.process.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ exitCode: 0, signal: undefined });
  });

  it('holds as many connections in each', async () => {
    const { httpPort, grpcPort, metric, serving } = await serveProcesses(IRIS.path);
    const open = () =>
      Promise.all(serving().map((_, at) => metric(`nimify_process_connections{process="${at}"}`)));
    await expect.poll(open).toEqual([0, 0]);
    const held = await Promise.all(
      Array.from({ length: 16 }, (_, at) => openRaw(at % 4 === 0 ? grpcPort : httpPort)),
    );
    await expect.poll(open).toEqual([8, 8]);
    for (const at of [0, 2, 4, 6]) held[at]?.socket.destroy();
    await expect.poll(async () => (await open()).reduce((a, b) => a + b)).toBe(12);
    const more = await Promise.all(Array.from({ length: 4 }, () => openRaw(httpPort)));
    await expect.poll(open).toEqual([8, 8]);
    for (const { socket } of [...held, ...more]) socket.destroy();
    await expect.poll(open).toEqual([0, 0]);
  });

  it('ends all where the one that started them is gone', async () => {
    const { running, serving } = await serveProcesses(IRIS.path);
    const all = serving();
    running.process.kill('SIGKILL');
    await running.finished;
    await expect.poll(() => all.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  });

  it('says once what is wrong', async () => {
    const { exitCode, signal, stderr } = await startProcesses('/nowhere.onnx').finished;
    expect([exitCode, signal]).toEqual([66, undefined]);
    expect(stderr.split('there is no such file')).toHaveLength(2);
  });
});
