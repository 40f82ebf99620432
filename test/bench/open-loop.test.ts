import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { summarizeOpenLoop, UNANSWERED } from '../../bench/harness/batching/open-loop-summary.mjs';
import { openLoopOf } from '../../bench/harness/batching/run-open-loop.mjs';

const folder = mkdtempSync(join(tmpdir(), 'nimify-open-loop-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

const ARRIVALS = {
  ...{ kind: 'poisson', ratePerSecond: 200, seconds: 0.5, seed: 1 },
  ...{ rampSeconds: 0, drainMs: 10_000, thresholdsMs: [0, 60_000] },
};

describe('the open-loop client', () => {
  it('has an answer for every request, and tells refusals, lateness and other answers apart', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      request.resume().on('end', () => {
        response.statusCode = [200, 429, 503, 504, 500][count++ % 5] as number;
        response.end('{}');
      });
    });
    const load = openLoopOf(join(folder, 'kinds'), request(), ARRIVALS);
    expect(await load({ port })).toMatchObject({
      ...{ requests: 100, due: 100, refused: 40, expired: 20, failed: 20, unanswered: 0 },
      ...{ refusedShare: 0.4, errors: { 500: 20 }, goodPerSecond: [0, 40] },
    });
  });

  it('counts from the time at which a request was due, not from when it could be sent', async () => {
    const stallMs = 300;
    const port = await serve((request, response) => {
      request.resume().on('end', () => setTimeout(() => response.end('{}'), stallMs));
    });
    const arrivals = { ...ARRIVALS, ratePerSecond: 20, mostConnections: 1 };
    const load = openLoopOf(join(folder, 'stall'), request(), arrivals);
    const { due = 0, maxUs = 0 } = await load({ port });
    // One connection: the last was due half a second after the first, and is sent after all others were answered.
    expect(maxUs / 1000).toBeGreaterThan(due * stallMs - 500);
  });

  it('opens a new connection for one that breaks', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      count += 1;
      if (count % 10 === 0) request.socket.destroy();
      else request.resume().on('end', () => response.end('{}'));
    });
    const load = openLoopOf(join(folder, 'breaks'), request(), ARRIVALS);
    expect(await load({ port })).toMatchObject({ due: 100, failed: 10, unanswered: 0 });
  });
});

describe('its summary', () => {
  const outcome = {
    schedule: [0, 100, 200, 300, 400, 500],
    status: [200, 200, 429, 200, 500, UNANSWERED],
    latencyMs: [900, 10, 1, 30, 2, 0],
    lateMs: [0, 0, 1, 0, 0, 0],
  };

  it('leaves out what was due in the ramp', () => {
    const summary = summarizeOpenLoop(outcome, { rampSeconds: 0.1, seconds: 1.1, thresholdsMs: [20, 40] });
    expect(summary).toMatchObject({
      ...{ requests: 5, due: 5, refused: 1, refusedShare: 0.2, failed: 1, unanswered: 1 },
      ...{ p50Us: 30_000, maxUs: 30_000, meanUs: 20_000, refusalP99Us: 1000, goodPerSecond: [1, 2] },
      // The first was answered in the measured time, though it was due before.
      perSecond: 3,
    });
  });

  it('has no times where nothing was answered', () => {
    const summary = summarizeOpenLoop(
      { schedule: [0], status: [UNANSWERED], latencyMs: [0], lateMs: [0] },
      { rampSeconds: 0, seconds: 1, thresholdsMs: [5] },
    );
    expect(summary).toMatchObject({ p99Us: Number.NaN, perSecond: 0, goodPerSecond: [0], unanswered: 1 });
  });
});

function request() {
  return { path: '/', headers: { 'content-type': 'application/json' }, body: Buffer.from('{"inputs":[]}') };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
