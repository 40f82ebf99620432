import { createHmac } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../../base/telemetry/events.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { systemClock } from '../../base/util/clock.ts';
import type { EventLog, EventOptions } from './contract.ts';
import { createDeadLetters } from './dead-letters.ts';
import { openEvents } from './open-events.ts';
import { toKey, webhookHeaders } from './sign.ts';

const DEGRADED: EventReport = { type: 'model-degraded', model: 'm', message: 'no instance lives' };

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let folder: string;
let received: Received[];
let status: number;
let receiver: Server;
let url: string;
const metrics = { current: createMetricsRegistry() };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-outward-'));
  received = [];
  status = 200;
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(status, { location: 'http://elsewhere.invalid/' }).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});

afterEach(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  rmSync(folder, { recursive: true });
});

function open(options: EventOptions): Promise<EventLog> {
  metrics.current = createMetricsRegistry();
  const deadLetterFile = join(folder, 'letters/dead.jsonl');
  return openEvents(
    { deadLetterFile, ...options },
    {
      ...{ clock: systemClock, log: SILENT, metrics: metrics.current },
      ...{ isServed: () => true, isOneOfMany: false },
    },
  );
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function deadLetters(): readonly Record<string, unknown>[] {
  const lines = readFileSync(join(folder, 'letters/dead.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a webhook', () => {
  it('gets what began, signed so that its receiver can tell who sent it', async () => {
    const secretFile = join(folder, 'hook.key');
    writeFileSync(secretFile, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n');
    const events = await open({ webhooks: [{ url: `${url}/hook?token=t`, secretFile }] });
    events.report(DEGRADED);
    await until(() => received.length === 1);
    const [{ path, headers, body }] = received as [Received];
    expect(path).toBe('/hook?token=t');
    expect(headers['content-type']).toBe('application/json');
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers;
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    expect(JSON.parse(body)).toMatchObject({
      type: 'incident.opened',
      timestamp: events.list()[0]?.time,
      data: { host: expect.any(String), ...events.list()[0] },
    });
    await events.close({ graceMs: 1000 });
    expect(metrics.current.render()).toContain(
      `nimify_event_notifications_total{target="${url}",result="taken"} 1\n`,
    );
  });

  it('leaves what nobody took in a file that only its owner reads, without the path that lets one in', async () => {
    status = 403;
    const events = await open({ webhooks: [{ url: `${url}/secret-path` }] });
    events.report(DEGRADED);
    await until(() => received.length === 1);
    expect(received[0]?.headers['webhook-signature']).toBeUndefined();
    await events.close({ graceMs: 1000 });
    expect(deadLetters()).toMatchObject([
      {
        url,
        reason: 'it answered 403',
        id: expect.stringMatching(/^msg_/),
        body: { type: 'incident.opened' },
      },
    ]);
    expect(JSON.stringify(deadLetters())).not.toContain('secret-path');
    expect(statSync(join(folder, 'letters/dead.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('is not followed elsewhere', async () => {
    status = 307;
    const events = await open({ webhooks: [{ url }] });
    events.report(DEGRADED);
    await until(() => received.length === 1);
    await events.close({ graceMs: 1000 });
    expect(deadLetters()).toMatchObject([{ reason: 'it answered 307' }]);
  });

  it('that is down gets each once more at the end, and the file the rest', async () => {
    const events = await open({ webhooks: [{ url: 'http://127.0.0.1:9' }] });
    events.report(DEGRADED);
    events.report({ ...DEGRADED, model: 'n' });
    await events.close({ graceMs: 1000 });
    expect(deadLetters()).toMatchObject([
      { body: { data: { model: 'm' } } },
      { body: { data: { model: 'n' } } },
    ]);
  });

  it('with a key that cannot be read, or that is too short, ends the start', async () => {
    const secretFile = join(folder, 'none.key');
    await expect(open({ webhooks: [{ url, secretFile }] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    writeFileSync(secretFile, 'short');
    await expect(open({ webhooks: [{ url, secretFile }] })).rejects.toThrow(/at least 16 bytes .* got 5/);
  });
});

it('signs as the specification shows it', () => {
  // The example of the Standard Webhooks specification, 1.0.
  const body = '{"test": 2432232314}';
  const headers = webhookHeaders(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    body,
    1_614_265_330_000,
    toKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'),
  );
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

describe('the file of dead letters', () => {
  it('tells once that it cannot be written, and again when it can', async () => {
    const reports: string[] = [];
    const full = createDeadLetters('/dev/full', {
      log: SILENT,
      report: ({ type, part }) => void reports.push(`${type} ${part}`),
    });
    for (let index = 0; index < 3; index += 1) full.write({ index });
    await full.close();
    if (existsSync('/dev/full')) expect(reports).toEqual(['disk-full /dev/full']);
  });

  it('grows to 16 MiB and no further, and loses no line that it took', async () => {
    const path = join(folder, 'dead.jsonl');
    const logged: string[] = [];
    const log = { ...SILENT, error: (_fields: object, message: string) => void logged.push(message) };
    const letters = createDeadLetters(path, { log, report: () => {} });
    letters.write({ first: true });
    await letters.close();
    truncateSync(path, 16 * 1024 * 1024);
    chmodSync(path, 0o600);
    for (let index = 0; index < 3; index += 1) letters.write({ index });
    await letters.close();
    expect(statSync(path).size).toBe(16 * 1024 * 1024);
    expect(logged).toEqual(['a dead letter could not be kept']);
  });
});
