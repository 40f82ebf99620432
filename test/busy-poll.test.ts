import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../src/base/util/clock.ts';
import { createClient } from '../src/client/client.ts';
import { createServer, type RunningServer, type ServerOptions } from '../src/server.ts';

const IRIS = fileURLToPath(new URL('../examples/demo/iris/model.onnx', import.meta.url));

/** Time as a server on a machine twenty times as fast would see it: its client is back at once. */
const clock: Clock = { ...systemClock, nowNs: () => systemClock.nowNs() / 20 };

/** A run of near requests, and the blocks of a comparison. */
const REQUESTS = 32 + 8 * 32;

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 0 }));

async function serve(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const ports = { httpPort: 0, grpcPort: 0, metricsPort: 0 };
  server = await createServer({
    ...{ models: [{ path: IRIS, name: 'iris' }], ...ports, clock, engine: { host: 'inline' } },
    ...options,
  });
  return server;
}

async function askInTurn(url: string): Promise<void> {
  const client = createClient({ url });
  const input = {
    name: 'X',
    datatype: 'FP32',
    shape: [1, 4],
    data: Float32Array.of(5.1, 3.5, 1.4, 0.2),
  } as const;
  for (let i = 0; i < REQUESTS; i += 1) {
    const { outputs } = await client.infer({ model: 'iris', inputs: [input] });
    expect(outputs[0]?.shape).toEqual([1]);
  }
  await client.close();
}

async function polledSeconds({ metricsUrl }: RunningServer): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const series = text.matchAll(/^nimify_busy_poll_seconds_total\{.*\} (.*)$/gm);
  return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
}

describe('polling for requests', () => {
  it.each([
    ['HTTP', ({ url }: RunningServer) => url],
    ['gRPC', ({ grpcAddress }: RunningServer) => `grpc://${grpcAddress}`],
  ])('is tried for a client that asks in turn over %s, who is answered as ever', async (_, urlOf) => {
    const running = await serve();
    // Again where the machine was so busy that the client was not back at once.
    await expect
      .poll(async () => {
        await askInTurn(urlOf(running));
        return polledSeconds(running);
      })
      .toBeGreaterThan(0);
    await running.close();
    await expect.poll(() => process.getActiveResourcesInfo()).not.toContain('Immediate');
  });

  it('is left out where it is switched off', async () => {
    const running = await serve({ busyPoll: 'off' });
    await askInTurn(running.url);
    expect(await polledSeconds(running)).toBe(0);
  });
});
