/**
 * A model whose requests fail spends its error budget: the server tells its log, its routes, the command line, the metrics, a
 * webhook and an Alertmanager. Counted alike whether requests came over HTTP or gRPC.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createGrpcClient } from '../../src/client/grpc-client.ts';
import { describeWith, peerPath } from '../require.ts';
import { type Running, runNimify, startNimify } from '../support/nimify.ts';

const FUNCTION = `from typing import Annotated

def predict(x: Annotated[list, "FP32[2]"]) -> Annotated[list, "FP32[2]"]:
    if x[0] < 0:
        raise ValueError("negative")
    return x
`;
const KEY = 'a key of more than sixteen bytes';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let folder: string;
let received: Received[];
let receiver: Server;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-events-'));
  writeFileSync(join(folder, 'model.py'), FUNCTION);
  writeFileSync(join(folder, 'hook.key'), KEY);
  received = [];
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended;
  }
});

afterAll(() => {
  receiver.close();
  rmSync(folder, { recursive: true });
});

async function serve(events: string, flags: readonly string[] = []) {
  writeFileSync(
    join(folder, 'nimify.yaml'),
    `models:\n  - {path: model.py, name: bad, breaker: off}\nevents:\n${events}`,
  );
  const ports = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
  const running = startNimify(['serve', ...ports, '--log-format', 'json', ...flags], {
    cwd: folder,
    env: { XDG_CACHE_HOME: folder },
  });
  children.push(running.process);
  const [, url = ''] = await running.printed(/serves 1 model at (\S+)/);
  const [, grpc = ''] = await running.printed(/^grpc +(\S+)/m);
  return { running, url, grpc };
}

function failOverHttp(url: string): Promise<Response> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [2], data: [-1, 0] }];
  return fetch(`${url}/v2/models/bad/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
}

async function failOverGrpc(address: string): Promise<unknown> {
  const client = createGrpcClient({ url: `grpc://${address}`, retry: { attempts: 1 } });
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(-1, 0) }] as const;
  try {
    return await client.infer({ model: 'bad', inputs }).catch((thrown: { code: string }) => thrown.code);
  } finally {
    await client.close();
  }
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function end({ process, finished }: Running): Promise<void> {
  process.kill('SIGTERM');
  expect(await finished).toMatchObject({ exitCode: 0 });
}

describeWith(['python'], 'an error budget that burns', () => {
  it('is told to everybody who is to know', async () => {
    const { port } = receiver.address() as AddressInfo;
    const { running, url, grpc } = await serve(
      `  webhooks:\n    - url: http://127.0.0.1:${port}/hook\n      secretFile: hook.key\n`,
    );
    for (let index = 0; index < 6; index += 1) expect((await failOverHttp(url)).status).toBe(500);
    for (let index = 0; index < 6; index += 1) expect(await failOverGrpc(grpc)).toBe('ENGINE_FAILED');

    const [{ headers, body }] = await until(() => (received.length > 0 ? received : undefined)).then(
      (all) => all as [Received],
    );
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers;
    const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(JSON.parse(body)).toMatchObject({
      type: 'incident.opened',
      data: { type: 'slo-burn', state: 'paging', model: 'bad', part: 'availability fast' },
    });

    const { objectives } = (await (await fetch(`${url}/admin/slo`)).json()) as { objectives: unknown[] };
    expect(objectives).toMatchObject([
      { model: 'bad', objective: 'availability', target: 0.999, good: 0, bad: 12, state: 'paging' },
    ]);
    const metrics = await (await fetch(`${url}/v1/metrics`)).text();
    expect(metrics).toContain(
      'nimify_slo_requests_total{model="bad",objective="availability",result="bad"} 12\n',
    );
    expect(metrics).toContain('nimify_incidents{condition="slo",state="paging"} 1\n');

    const listed = await runNimify('events', url);
    expect(listed).toMatchObject({ exitCode: 0 });
    expect(listed.stdout).toMatch(/paging {6}slo-burn bad availability fast\n {2}12 of 12 requests/);
    expect(listed.stdout).toContain('docs/runbooks/slo-burn.md\n\n1 open:\n');
    const lines = (await runNimify('events', url, '--json', '--type', 'slo-burn')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ id: 1, type: 'slo-burn' }]);

    const following = startNimify(['events', url, '--follow', '--json']);
    children.push(following.process);
    await following.printed(/"type":"slo-burn"/);
    await end(running);
    expect(await following.finished).toMatchObject({ exitCode: 0 });
    expect((await running.finished).stderr).toMatch(/"level":"error".*"event":"slo-burn"/);
  });

  it('is that of all processes', async () => {
    const { running, url } = await serve('  webhooks: []\n', ['--processes', '2']);
    // Each on a connection of its own, so that both processes get some.
    const answers = await Promise.all(Array.from({ length: 40 }, () => failOverHttp(url)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([500]));
    const total = await until(async () => {
      const { objectives } = (await (await fetch(`${url}/admin/slo`)).json()) as {
        objectives: readonly { readonly bad: number }[];
      };
      return objectives[0]?.bad === 40 ? 40 : undefined;
    });
    expect(total).toBe(40);
    const open = await until(async () => {
      const answer = (await (await fetch(`${url}/admin/events`)).json()) as { readonly open: unknown[] };
      return answer.open.length > 0 ? answer.open : undefined;
    });
    expect(open[0]).toMatchObject({ type: 'slo-burn', model: 'bad' });
    await end(running);
  });
});

describeWith(['python', 'alertmanager'], 'an Alertmanager', () => {
  it('shows the alert, with its runbook', async () => {
    const amPort = await freePort();
    writeFileSync(join(folder, 'am.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
    const args = [
      `--web.listen-address=127.0.0.1:${amPort}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ];
    const files = [`--config.file=${join(folder, 'am.yml')}`, `--storage.path=${join(folder, 'am')}`];
    const manager = spawn(peerPath('prometheus-alertmanager'), [...args, ...files], { stdio: 'ignore' });
    children.push(manager);
    const am = `http://127.0.0.1:${amPort}`;
    await until(() => {
      expect(manager.exitCode).toBeNull();
      return fetch(`${am}/-/ready`).then(
        ({ ok }) => (ok ? true : undefined),
        () => undefined,
      );
    });
    const { running, url } = await serve(`  alertmanager: ${am}\n`);
    for (let index = 0; index < 12; index += 1) await failOverHttp(url);
    const alerts = await until(async () => {
      const all = (await (await fetch(`${am}/api/v2/alerts`)).json()) as unknown[];
      return all.length > 0 ? all : undefined;
    });
    expect(alerts).toMatchObject([
      {
        labels: { alertname: 'NimifySloBurn', severity: 'critical', model: 'bad', part: 'availability fast' },
        annotations: { runbook_url: expect.stringMatching(/runbooks\/slo-burn\.md$/) },
        status: { state: 'active' },
      },
    ]);
    await end(running);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
