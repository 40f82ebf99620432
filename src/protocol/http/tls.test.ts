/** HTTP over TLS. That each request is read as in clear text is held by test/conformance/http-framing. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createTlsFixture,
  type ServerTlsFixtureOptions,
  type TlsFixture,
} from '../../../test/support/tls-fixture.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import { createConnectionRoom } from '../connection-room.ts';
import type { ServerTls } from '../server-tls.ts';
import { createFakeDeps, echo } from './fake-registry.ts';
import { openRaw, rawRequest } from './raw-client.ts';
import { createHttpServer, type HttpServer } from './server.ts';

let fixture: TlsFixture;
beforeAll(() => {
  fixture = createTlsFixture();
});
afterAll(() => fixture.remove());

const open: { readonly server: HttpServer; readonly tls: ServerTls }[] = [];
afterEach(async () => {
  for (const { server, tls } of open.splice(0)) {
    tls.stop();
    await server.close({ graceMs: 0 });
  }
});

/** More than the system takes of an answer that nobody reads. */
const LARGE_ROWS = 2_000_000;
let answersFreed = 0;

const MODELS = [
  { name: 'rows' },
  {
    name: 'large',
    inferNow(request: Parameters<typeof echo>[0]): ReturnType<typeof echo> {
      const data = new Float32Array(LARGE_ROWS * 4);
      return {
        ...echo(request, ROWS_OF_FOUR),
        outputs: [{ name: 'y', datatype: 'FP32', shape: [LARGE_ROWS, 4], data }],
        owner: createOwner(() => {
          answersFreed += 1;
        }),
      };
    },
  },
  { name: 'quick', inferNow: (request: Parameters<typeof echo>[0]) => echo(request, ROWS_OF_FOUR) },
];

interface ServeOptions extends ServerTlsFixtureOptions {
  readonly maxConnections?: number;
  readonly deps?: { readonly clock?: Clock };
}

describe.each(['own', 'node'] as const)('HTTPS, read by %s', (reader) => {
  async function serve({ maxConnections, deps, ...options }: ServeOptions = {}) {
    const tls = await fixture.serverTls(options);
    const fakes = { ...createFakeDeps(MODELS, { reader }), ...deps };
    const connectionRoom = createConnectionRoom({ clock: fakes.clock, log: SILENT, maxConnections });
    const server = createHttpServer({ ...fakes, tls, connectionRoom });
    open.push({ server, tls });
    const { port } = await server.listen('127.0.0.1', 0);
    return { server, port, client: () => openRaw(port, { ca: fixture.ca.cert }) };
  }

  function ask(model: string, rows: number): Buffer {
    const bytes = Buffer.alloc(rows * 16, 'nimify');
    const input = { name: 'x', datatype: 'FP32', shape: [rows, 4] };
    const head = JSON.stringify({
      inputs: [{ ...input, parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    });
    const headers = {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': head.length,
    };
    const body = Buffer.concat([Buffer.from(head), bytes]);
    return Buffer.from(rawRequest('POST', `/v2/models/${model}/infer`, headers, body));
  }

  it('answers inferences of any size, and other routes, on one connection', async () => {
    const { client } = await serve();
    const { send, next } = await client();
    for (const [model, rows] of [
      ['quick', 1],
      ['quick', 200_000],
      ['rows', 200_000],
      ['rows', 1],
    ] as const) {
      send(ask(model, rows));
      const { status, body } = await next();
      expect(status).toBe(200);
      expect(Buffer.compare(body.subarray(-rows * 16), Buffer.alloc(rows * 16, 'nimify'))).toBe(0);
    }
    send(rawRequest('GET', '/v2'));
    expect(JSON.parse(String((await next()).body))).toMatchObject({ name: 'nimify' });
    send(ask('quick', 200_000));
    expect((await next()).status).toBe(200);
  });

  it('answers many that were sent together in their order', async () => {
    const { client } = await serve();
    const { send, next } = await client();
    const sizes = [1, 3000, 2, 70_000, 3, 4, 5];
    send(Buffer.concat(sizes.map((rows, index) => ask(index % 2 === 0 ? 'quick' : 'rows', rows))));
    for (const rows of sizes) {
      const { status, body } = await next();
      const { outputs } = JSON.parse(String(body.subarray(0, -rows * 16))) as { outputs: unknown[] };
      expect([status, outputs[0]]).toMatchObject([200, { shape: [rows, 4] }]);
    }
  });

  it('cuts off who takes nothing of an answer', async () => {
    const clock = createFakeClock();
    const { client } = await serve({ deps: { clock } });
    const patient = await client();
    patient.send(ask('large', 1));
    expect((await patient.next()).body.length).toBeGreaterThan(LARGE_ROWS * 16);
    const stuck = await client();
    stuck.socket.pause();
    stuck.send(ask('large', 1));
    const before = answersFreed;
    await expect
      .poll(() => {
        clock.advance(7500);
        return answersFreed;
      })
      .toBe(before + 1);
    stuck.socket.resume();
    await expect(stuck.next()).rejects.toThrow(/^connection closed/);
  });

  it('lets those in the middle of a handshake go when it ends', async () => {
    const { server, port, client } = await serve();
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => {}).resume();
    await once(silent, 'connect');
    const quiet = await client();
    await server.close({ graceMs: 1e8 });
    await quiet.closed;
    if (!silent.closed) await once(silent, 'close');
  });

  it('counts those in the middle of a handshake', async () => {
    const { port, client } = await serve({ maxConnections: 2 });
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => {}).resume();
    await once(silent, 'connect');
    const second = await client();
    second.send(ask('quick', 1));
    expect((await second.next()).status).toBe(200);
    const third = connect(port, '127.0.0.1');
    third.on('error', () => {}).resume();
    await new Promise((resolve) => third.on('close', resolve));
    silent.destroy();
  });

  it('says nothing to clear text', async () => {
    const { port } = await serve();
    const { send, closed, next } = await openRaw(port);
    send(rawRequest('GET', '/v2/health/live'));
    await closed;
    await expect(next()).rejects.toThrow(/unread: $/);
  });

  it('lets in clients with a certificate only, where it is told so', async () => {
    const { port } = await serve({ isMutual: true });
    const { cert, key } = fixture.client;
    const known = await openRaw(port, { ca: fixture.ca.cert, cert, key });
    known.send(rawRequest('GET', '/v2/health/live'));
    expect((await known.next()).status).toBe(200);
    const unknown = connectSecurely({
      ...{ port, host: '127.0.0.1', servername: 'localhost', ca: fixture.ca.cert },
    });
    unknown.write(rawRequest('GET', '/v2/health/live'));
    const [refused] = await once(unknown, 'error');
    expect(refused).toMatchObject({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
  });
});
