/** What happens to the processes of a model while it is served. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventType } from '../../src/base/telemetry/events.ts';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { createServer, type RunningServer, type ServerOptions } from '../../src/server.ts';
import { askIris, IRIS, SLOW } from '../chaos/models.ts';
import { packed, protobuf } from '../support/protobuf.ts';

const DIVIDE = fileURLToPath(new URL('../engine/fixtures/divide.onnx', import.meta.url));
const SMALLEST = -(2 ** 31);

let server: RunningServer | undefined;
afterEach(async () => server?.close({ graceMs: 0 }));

async function serve(options: Pick<ServerOptions, 'models' | 'engine'>): Promise<void> {
  server = await createServer({ ...options, httpPort: 0, grpcPort: 0, metricsPort: false });
}

/** The types of the reports so far. */
async function told(): Promise<readonly EventType[]> {
  const answer = await fetch(`${server!.url}/admin/events`);
  const { events } = (await answer.json()) as { readonly events: readonly { readonly type: EventType }[] };
  return events.map(({ type }) => type);
}

async function divide(a: number, b: number): Promise<readonly [number, string | undefined]> {
  const answer = await fetch(`${server!.url}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ a: [a], b: [b] }),
  });
  return [answer.status, ((await answer.json()) as { code?: string }).code];
}

/** The status of a refusal, which is trailers alone. */
async function divideOverGrpc(a: number, b: number): Promise<unknown> {
  const client = connectRaw(Number(server!.grpcAddress!.split(':')[1]));
  const input = (name: string) => protobuf({ 1: name, 2: 'INT32', 3: packed(1) });
  const raw = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
  const request = protobuf({ 1: 'divide', 5: [input('a'), input('b')], 7: [raw(a), raw(b)] });
  const { headers } = await client.call('/inference.GRPCInferenceService/ModelInfer', [framed(request)]);
  client.close();
  return headers['grpc-status'];
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server!.url}/v1/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.split(' ')
      .at(-1),
  );
}

/** Processes of models, as children of this one. */
function modelProcesses(): readonly number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process-entry'));
}

describe.runIf(process.platform === 'linux')('the processes of a model', () => {
  it('do not end a third time of one request, which is refused over HTTP and gRPC', async () => {
    await serve({ models: [DIVIDE], engine: { instances: 2 } });
    // It was tried again, by itself.
    expect(await divide(SMALLEST, -1)).toEqual([503, 'ENGINE_CRASHED']);
    expect(await divide(SMALLEST, -1)).toEqual([400, 'INVALID_INPUT']);
    expect(await divideOverGrpc(SMALLEST, -1)).toBe('3');
    expect(await divide(8, 2)).toEqual([200, undefined]);
    expect(await metric('nimify_poison_refusals_total{model="divide"')).toBe(2);
    expect(await metric('nimify_instance_restarts_total{model="divide",version="1",reason="crashed"')).toBe(
      2,
    );
    await expect.poll(() => metric('nimify_instances_down{model="divide"')).toBe(0);
    expect((await told()).filter((type) => type === 'poison-request')).toHaveLength(1);
  });

  it('are replaced where one is stopped in the middle of a run', async () => {
    await serve({
      models: [{ path: SLOW.path, name: 'slow' }],
      engine: { host: 'process', instances: 2 },
    });
    const before = modelProcesses();
    expect(before).toHaveLength(2);
    process.kill(before[0]!, 'SIGSTOP');
    const ask = async () => {
      const body = JSON.stringify({ x: [2.5] });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${server!.url}/v1/predict`, { method: 'POST', headers, body })).status;
    };
    const statuses = await Promise.all([ask(), ask()]);
    // What was in it was tried again.
    expect(statuses).toEqual([200, 200]);
    await expect.poll(told).toEqual(['instance-stuck', 'instance-replaced']);
    expect(modelProcesses()).not.toContain(before[0]);
    expect(await ask()).toBe(200);
  });

  it('are replaced where they have grown, and no request is lost', async () => {
    await serve({
      models: [{ path: IRIS.path, name: 'iris' }],
      engine: { host: 'process', instances: 2, recycleBytes: 1 },
    });
    const statuses = new Set<number>();
    while ((await told()).filter((type) => type === 'instance-recycled').length < 2) {
      statuses.add(await askIris(server!.url));
    }
    // Those that were replaced have left.
    await expect.poll(() => modelProcesses().length).toBe(2);
    expect([...statuses]).toEqual([200]);
    expect(await metric('nimify_instance_restarts_total{model="iris",version="1",reason="recycled"')).toBe(2);
  });
});
