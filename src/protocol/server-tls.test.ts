/** Certificates that are renewed while a server runs. */
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Issued, issue, issueCa } from '../../test/support/certificates.ts';
import { createTlsFixture, type TlsFixture } from '../../test/support/tls-fixture.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import type { ServerTls } from './server-tls.ts';

let fixture: TlsFixture;
let tls: ServerTls | undefined;
let server: Server | undefined;
const sockets: TLSSocket[] = [];

beforeEach(() => {
  fixture = createTlsFixture();
});
afterEach(() => {
  tls?.stop();
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
  fixture.remove();
});

async function serve({ isMutual = false } = {}) {
  const clock = createFakeClock();
  const logged: string[] = [];
  const note = (level: string) => (_fields: object, message: string) =>
    void logged.push(`${level}: ${message}`);
  const log = { ...SILENT, info: note('info'), warn: note('warn'), error: note('error') };
  // Certificates are judged by the day.
  const timed = { ...clock, wallMs: Date.now };
  tls = await fixture.serverTls({ clock: timed, log, isMutual });
  const own = createServer(tls.options, (socket) => void socket.on('error', () => {}).pipe(socket));
  server = own;
  tls.attach(own);
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const { port } = own.address() as AddressInfo;

  /** A look at the files, done. */
  async function look(): Promise<void> {
    expect(clock.pendingTimers).toBe(1);
    clock.advance(10_000);
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  }
  return { port, logged, look, clock };
}

/** A connection, with the name on the server's certificate. */
async function greet(port: number, own?: Issued): Promise<{ socket: TLSSocket; name: unknown }> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'localhost', ca: fixture.ca.cert },
    ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
  });
  sockets.push(socket);
  await once(socket, 'secureConnect');
  return { socket, name: socket.getPeerCertificate().subject.CN };
}

const signed = (name: string, days = 1) =>
  issue({ name, issuer: fixture.ca, to: new Date(Date.now() + days * 24 * 3600e3) });

describe('a certificate that is renewed', () => {
  it('is given to new connections, while those that are open go on', async () => {
    const { port, look, logged } = await serve();
    const before = await greet(port);
    expect(before.name).toBe('test server');
    fixture.renew(signed('renewed'));
    await look();
    expect((await greet(port)).name).toBe('test server');
    await look();
    expect((await greet(port)).name).toBe('renewed');
    before.socket.write('still here');
    expect(String((await once(before.socket, 'data'))[0])).toBe('still here');
    await look();
    expect(logged).toEqual(['info: certificate renewed: new connections get it']);
  });

  it('is taken up when it is there as a whole', async () => {
    const { port, look, logged } = await serve();
    const next = signed('renewed');
    // The certificate comes before its key.
    writeFileSync(fixture.certFile, next.cert);
    await look();
    writeFileSync(fixture.keyFile, `${next.key}\n`);
    await look();
    expect(logged).toEqual([]);
    await look();
    expect((await greet(port)).name).toBe('renewed');
  });

  it('and cannot be used leaves the one before, until it is mended', async () => {
    const { port, look, logged } = await serve();
    writeFileSync(fixture.keyFile, issue({ name: 'other' }).key.replace(/\n$/, '\n\n'));
    for (let count = 0; count < 4; count += 1) await look();
    expect((await greet(port)).name).toBe('test server');
    expect(logged).toEqual([
      expect.stringMatching(/^error: .*stays in use: tls\.keyFile: .*got the key of another/),
    ]);
    rmSync(fixture.certFile);
    for (let count = 0; count < 4; count += 1) await look();
    expect(logged).toHaveLength(2);
    expect(logged[1]).toMatch(/tls\.certFile: .*there is no such file/);
    fixture.renew(signed('mended'));
    for (let count = 0; count < 2; count += 1) await look();
    expect((await greet(port)).name).toBe('mended');
  });

  it('brings its authorities of clients along, and tickets of before let nobody in', async () => {
    const { port, look } = await serve({ isMutual: true });
    const first = await greet(port, fixture.client);
    const [session] = (await once(first.socket, 'session')) as [Buffer];
    const others = issueCa('another authority');
    writeFileSync(fixture.caFile, others.cert);
    for (let count = 0; count < 2; count += 1) await look();
    const socket = connect({
      ...{ port, host: '127.0.0.1', servername: 'localhost', ca: fixture.ca.cert, session },
      ...{ cert: fixture.client.cert, key: fixture.client.key },
    });
    socket.on('error', () => {}).resume();
    await new Promise((resolve) => socket.on('close', resolve));
    const { socket: admitted } = await greet(port, issue({ name: 'new client', issuer: others }));
    admitted.write('here');
    expect(String((await once(admitted, 'data'))[0])).toBe('here');
  });

  it('is not looked for any more when the server has ended', async () => {
    const { clock } = await serve();
    tls?.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a certificate that does not hold today', () => {
  it.each([
    ['has expired', -3, /^warn: the certificate expired on \d{4}-\d\d-\d\d: clients/],
    ['holds later', 3, /^warn: the certificate holds from \d{4}-\d\d-\d\d only/],
  ])('because it %s is served with a warning', async (_what, days, says) => {
    const from = new Date(Date.now() + (days - 1) * 24 * 3600e3);
    const to = new Date(Date.now() + (days + 1) * 24 * 3600e3);
    fixture.renew(issue({ name: 'test server', issuer: fixture.ca, from, to }));
    const { logged } = await serve();
    expect(logged).toEqual([expect.stringMatching(says)]);
  });
});
