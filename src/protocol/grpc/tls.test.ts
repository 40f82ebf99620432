/** gRPC over TLS: who is let in, who is not, and what becomes of those who say nothing. */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Issued, issue, issueCa } from '../../../test/support/certificates.ts';
import { connect } from '../../../test/support/grpc-client.ts';
import {
  createTlsFixture,
  type ServerTlsFixtureOptions,
  type TlsFixture,
} from '../../../test/support/tls-fixture.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { type FakeServer, serveFake } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { connectRaw, framed } from './raw-client.ts';

const { modelInfer, modelStreamInfer, serverLive } = GRPCInferenceService.method;
const request = {
  modelName: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 4n] }],
  rawInputContents: [new Uint8Array(16)],
};

let fixture: TlsFixture;
beforeAll(() => {
  fixture = createTlsFixture();
});
afterAll(() => fixture.remove());

let server: FakeServer | undefined;
const closing: (() => void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await server?.close();
  server?.tls?.stop();
  server = undefined;
});

/** Resolves when the connection has ended, however. */
function closeOf(socket: Socket): Promise<unknown> {
  socket.on('error', () => {});
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.on('close', resolve));
}

async function serve(options: ServerTlsFixtureOptions = {}) {
  const warned: Readonly<Record<string, unknown>>[] = [];
  const log = { ...SILENT, warn: (fields: Readonly<Record<string, unknown>>) => void warned.push(fields) };
  const tls = await fixture.serverTls({ log, ...options });
  server = await serveFake([{ name: 'm' }], {}, undefined, tls);
  return { server, port: server.port, warned };
}

/** A client that trusts this authority, with a certificate of its own or without one. */
function client(port: number, { ca = fixture.ca, own }: { ca?: Issued; own?: Issued } = {}) {
  const trusted = Buffer.from(ca.cert);
  const channel =
    own === undefined
      ? credentials.createSsl(trusted)
      : credentials.createSsl(trusted, Buffer.from(own.key), Buffer.from(own.cert));
  // A pool of its own: grpc-js else shares connections with the same address and credentials.
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'localhost' };
  const connected = connect(port, options, channel);
  closing.push(connected.close);
  return connected;
}

describe('over TLS', () => {
  it('calls, large messages and streams are as in clear text', async () => {
    const { port } = await serve();
    const { unary, stream } = client(port);
    expect(await unary(modelInfer, request)).toMatchObject({ modelName: 'm' });
    const rows = 500_000;
    const large = {
      ...request,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 4n] }],
      rawInputContents: [Buffer.alloc(rows * 16, 'nimify')],
    };
    const answer = await unary(modelInfer, large);
    expect(Buffer.compare(answer.rawOutputContents[0]!, large.rawInputContents[0]!)).toBe(0);
    const asking = stream(modelStreamInfer);
    for (let count = 0; count < 3; count += 1) {
      asking.send({ ...request, id: String(count) });
      expect(await asking.next()).toMatchObject({ errorMessage: '', inferResponse: { id: String(count) } });
    }
    asking.call.end();
    expect(await asking.status).toMatchObject({ code: status.OK });
  });

  it('connections are made with TLS 1.2 or newer, and h2', async () => {
    const { port } = await serve();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const raw = connectRaw(port, {
        ...{ ca: fixture.ca.cert, servername: 'localhost', minVersion: version, maxVersion: version },
      });
      closing.push(raw.close);
      const answer = await raw.call('/inference.GRPCInferenceService/ModelInfer', [
        framed(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request))),
      ]);
      expect(answer.trailers).toMatchObject({ 'grpc-status': '0' });
      const socket = raw.session.socket as TLSSocket;
      expect([socket.getProtocol(), raw.session.alpnProtocol]).toEqual([version, 'h2']);
    }
    const old = connectTls({
      ...{ port, host: '127.0.0.1', servername: 'localhost', ca: fixture.ca.cert, ALPNProtocols: ['h2'] },
      ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    const [refused] = await once(old, 'error');
    expect(refused).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  it.each([[['http/1.1']], [[]]])('a client that speaks %j instead of h2 is cut off', async (protocols) => {
    const { port } = await serve();
    const socket = connectTls({
      ...{ port, host: '127.0.0.1', ca: fixture.ca.cert, servername: 'localhost' },
      ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
    });
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await closeOf(socket);
    expect(said).toBe('');
    expect(await client(port).unary(serverLive, {})).toMatchObject({ live: true });
  });

  it('a client in clear text is cut off, and the log says so once a minute', async () => {
    // Certificates are judged by the day.
    const clock = { ...createFakeClock(), wallMs: Date.now };
    const { port, warned } = await serve({ clock });
    for (let count = 0; count < 3; count += 1) {
      const plain = connect(port, { 'grpc.use_local_subchannel_pool': 1 });
      closing.push(plain.close);
      await expect(plain.unary(serverLive, {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
    }
    expect(warned).toMatchObject([{ reason: expect.stringMatching(/^ERR_SSL_/), failed: 1 }]);
    clock.advance(60_000);
    const plain = connectSocket(port, '127.0.0.1', () => plain.write('GET / HTTP/1.1\r\n\r\n'));
    plain.resume();
    await closeOf(plain);
    await vi.waitFor(() => expect(warned).toHaveLength(2));
    expect(warned[1]).toMatchObject({ reason: 'ERR_SSL_HTTP_REQUEST', failed: expect.any(Number) });
    expect(await client(port).unary(serverLive, {})).toMatchObject({ live: true });
  });

  it('a client that trusts another authority does not go on', async () => {
    const { port } = await serve();
    const { unary } = client(port, { ca: issueCa('test authority') });
    await expect(unary(serverLive, {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('handshakes that are never begun end with the server', async () => {
    const { server, port } = await serve();
    await client(port).unary(serverLive, {});
    const silent = connectSocket(port, '127.0.0.1');
    silent.resume();
    await once(silent, 'connect');
    // Accepted before this one.
    await client(port).unary(serverLive, {});
    await server.server.close({ graceMs: 1e8 });
    await closeOf(silent);
  });

  it('handshakes that take too long are given up', async () => {
    const { port, warned } = await serve({ receiveTimeoutMs: 30 });
    const silent = connectSocket(port, '127.0.0.1');
    silent.resume();
    await closeOf(silent);
    expect(warned).toMatchObject([{ reason: 'ERR_TLS_HANDSHAKE_TIMEOUT' }]);
  });
});

describe('with certificates of clients', () => {
  it('those of the authority are let in', async () => {
    const { port } = await serve({ isMutual: true });
    const { unary } = client(port, { own: fixture.client });
    expect(await unary(modelInfer, request)).toMatchObject({ modelName: 'm' });
  });

  it.each<[string, () => Issued | undefined, string]>([
    ['none', () => undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['one of another authority', () => issue({ name: 'c', issuer: issueCa('test authority') }), 'CERT_'],
    ['one that it signed itself', () => issue({ name: 'c' }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'one that has expired',
      () => issue({ name: 'c', issuer: fixture.ca, to: new Date(Date.now() - 1000) }),
      'CERT_HAS_EXPIRED',
    ],
  ])('a client with %s is not', async (_what, make, reason) => {
    const { port, warned } = await serve({ isMutual: true });
    const own = make();
    const { unary } = client(port, own === undefined ? {} : { own });
    await expect(unary(serverLive, {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await vi.waitFor(() => expect(warned).toMatchObject([{ reason: expect.stringContaining(reason) }]));
  });
});
