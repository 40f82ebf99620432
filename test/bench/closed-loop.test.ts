import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { summarizeClosedLoop } from '../../bench/harness/limits/closed-loop-summary.mjs';
import { closedLoopOf } from '../../bench/harness/limits/run-closed-loop.mjs';

const answer = (atMs: number, status = 200) => ({ status, atMs, latencyMs: 20 });

it('counts whole batches: from the end of one to the end of another', () => {
  // Four answers every 10 ms; the ramp ends in the midst of the third batch's run.
  const answers = [10, 20, 30, 40, 50].flatMap((at) => [0, 1, 2, 3].map((late) => answer(at + late)));
  expect(summarizeClosedLoop(answers, { rampEndMs: 27 })).toMatchObject({
    ...{ requests: 12, durationUs: 30_000, perSecond: 400, p50Us: 20_000, failed: 0 },
  });
});

it('tells failures by kind, and counts no answer among them', () => {
  const answers = [answer(10), answer(20), answer(30, 429), answer(35, 0), answer(40)];
  expect(summarizeClosedLoop(answers, { rampEndMs: 15 })).toMatchObject({
    ...{ requests: 4, failed: 2, errors: { broken: 1, status: 1 } },
  });
});

it.runIf(process.platform === 'linux')('keeps so many requests in flight', async () => {
  let inFlight = 0;
  let most = 0;
  const server = createServer((request, response) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    request.resume();
    setTimeout(() => {
      inFlight -= 1;
      response.end('{}');
    }, 5);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'nimify-closed-loop-'));
  try {
    const load = closedLoopOf(join(folder, 'load'), {
      ...{ path: '/infer', headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') },
    });
    const { port } = server.address() as AddressInfo;
    const result = await load({ port, connections: 8, seconds: 1, core: '0' });
    expect(result).toMatchObject({ failed: 0 });
    expect(result.requests).toBeGreaterThan(8);
    expect(most).toBe(8);
  } finally {
    rmSync(folder, { recursive: true });
    server.closeAllConnections();
    server.close();
  }
});
