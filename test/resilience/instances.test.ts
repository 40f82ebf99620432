/** Several instances of one model: one that hesitates, one that does worse than the others, and one that is killed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyChoices } from '../../src/base/config/policies.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { askIris, IRIS } from '../chaos/models.ts';
import { describeWith } from '../require.ts';

const UNEVEN = join(import.meta.dirname, 'fixtures/uneven.py');

let folder: string;
let server: RunningServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-instances-'));
});

afterEach(async () => {
  await server?.close({ graceMs: 0 });
  await rm(folder, { recursive: true, force: true });
});

async function serveUneven(instances: number, policies: Partial<PolicyChoices>): Promise<void> {
  const model = { path: UNEVEN, name: 'uneven', engine: { instances }, policies };
  server = await createServer({ models: [model], httpPort: 0, metricsPort: false });
}

async function ask(what: string): Promise<{ readonly status: number; readonly answer: string | undefined }> {
  const response = await fetch(`${server!.url}/v2/models/uneven/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'what', datatype: 'BYTES', shape: [1], data: [what] }] }),
  });
  const { outputs } = (await response.json()) as {
    outputs?: readonly { readonly data: readonly string[] }[];
  };
  return { status: response.status, answer: outputs?.[0]?.data[0] };
}

async function metrics(): Promise<string> {
  return (await fetch(`${server!.url}/v1/metrics`)).text();
}

async function eventTypes(): Promise<readonly string[]> {
  const answer = await fetch(`${server!.url}/admin/events`);
  const { events } = (await answer.json()) as { readonly events: readonly { readonly type: string }[] };
  return events.map(({ type }) => type);
}

/** Processes of models, as children of this one. */
function modelProcesses(): readonly number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process-entry'));
}

describeWith(['python'], 'several instances of a function', () => {
  it('have another one answer where one hesitates', async () => {
    // No other call takes so long, whatever else the machine does, and spends what was saved.
    await serveUneven(2, { hedge: { minDelayMs: 1000 } });
    // So many answers it takes to know what is usual, and to save up for a second copy.
    for (let call = 0; call < 64; call++) await ask('a');
    expect(await ask(`slow-once:${join(folder, 'taken')}`)).toEqual({ status: 200, answer: 'second' });
    expect(await metrics()).toContain('nimify_hedges_won_total{model="uneven",version="1"} 1');
  });

  it('leave out one that fails what the others answer', async () => {
    const ejection = { ejectionMs: 600_000, maxEjectionMs: 600_000 };
    await serveUneven(3, { ejection, breaker: 'off' });
    const asked = Array.from({ length: 12 }, () => ask('pid'));
    const pids = new Set((await Promise.all(asked)).map(({ answer }) => answer!));
    expect(pids.size).toBe(3);
    const [sick] = pids;
    const path = join(folder, 'sick');
    writeFileSync(path, sick!);
    let failures = 0;
    while (!(await eventTypes()).includes('member-ejected')) {
      if ((await ask(`fail-in:${path}`)).status !== 200) failures += 1;
    }
    // More where a self-test was answered in between: that begins a new row.
    expect(failures).toBeGreaterThanOrEqual(5);
    const after = await Promise.all(Array.from({ length: 100 }, () => ask(`fail-in:${path}`)));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
    expect(after.map(({ answer }) => answer)).not.toContain(sick);
    expect(await metrics()).toContain('nimify_ejections_total{model="uneven",version="1",reason="errors"} 1');
  });
});

describe.runIf(process.platform === 'linux')('several processes of a graph', () => {
  it('lose no request where one after the other is killed under load', async () => {
    server = await createServer({
      models: [{ path: IRIS.path, name: 'iris' }],
      engine: { host: 'process', instances: 2 },
      httpPort: 0,
      metricsPort: false,
    });
    const killed = new Set<number>();
    const statuses: number[] = [];
    const isKilled = (times: number) => killed.size === times;
    async function keepAsking(): Promise<void> {
      while (!(isKilled(3) && statuses.length >= 1200)) statuses.push(await askIris(server!.url));
    }
    const load = Promise.all(Array.from({ length: 16 }, keepAsking));
    for (const after of [200, 500, 800]) {
      await expect
        .poll(() => statuses.length >= after && modelProcesses().length === 2, { timeout: 20_000 })
        .toBe(true);
      const victim = modelProcesses().find((pid) => !killed.has(pid))!;
      process.kill(victim, 'SIGKILL');
      killed.add(victim);
    }
    await load;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await metrics()).toContain(
      'nimify_instance_restarts_total{model="iris",version="1",reason="crashed"} 3',
    );
  });
});
