import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issue } from '../../test/support/certificates.ts';
import { connect } from '../../test/support/grpc-client.ts';
import { type Running, startNimify } from '../../test/support/nimify.ts';
import { createTlsFixture, type TlsFixture } from '../../test/support/tls-fixture.ts';
import { GRPCInferenceService } from '../protocol/grpc/generated/inference/service_pb.ts';

const IRIS = fileURLToPath(new URL('../../examples/demo/iris', import.meta.url));
const FREE_PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];

let folder: string;
let fixture: TlsFixture;
let running: Running | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-serve-tls-'));
  fixture = createTlsFixture();
});

afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
  running = undefined;
  fixture.remove();
  rmSync(folder, { recursive: true });
});

async function serve(...args: readonly string[]) {
  running = startNimify(['serve', IRIS, ...FREE_PORTS, ...args], { cwd: folder });
  const [banner, url = '', port] = await running.printed(/ at (\S+)[\s\S]*grpc {5}\S+:(\d+)[\s\S]*metrics.*/);
  return { banner, url, grpcPort: Number(port) };
}

/** Whether the server is live, over its TLS. */
function isLive(url: string, own: { readonly cert?: string; readonly key?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/v2/health/live`, { ca: fixture.ca.cert, ...own }, (answer) => {
      answer.setEncoding('utf8');
      answer.on('data', resolve);
    });
    asked.on('error', reject);
    asked.end();
  });
}

function connectSecurely(port: number) {
  const trusted = credentials.createSsl(Buffer.from(fixture.ca.cert));
  return connect(port, { 'grpc.ssl_target_name_override': 'localhost' }, trusted);
}

const { serverLive } = GRPCInferenceService.method;
const live = { live: true };

describe('nimify serve over TLS', () => {
  it('serves both protocols with the files that nimify.yaml names, from its own folder', async () => {
    mkdirSync(join(folder, 'conf'));
    for (const name of ['server.crt', 'server.key']) {
      writeFileSync(join(folder, 'conf', name), readFileSync(join(fixture.folder, name)));
    }
    writeFileSync(join(folder, 'conf/n.yaml'), 'tls: {certFile: server.crt, keyFile: ./server.key}\n');
    const { banner, url, grpcPort } = await serve('--config', 'conf/n.yaml');
    expect(url).toMatch(/^https:/);
    expect(JSON.parse(await isLive(url))).toEqual(live);
    const client = connectSecurely(grpcPort);
    expect(await client.unary(serverLive, {})).toMatchObject(live);
    client.close();
    expect(banner).toMatch(/ {2}curl -s --insecure https:.*\n[\s\S]*grpc {5}\S+ \(TLS\)\nmetrics {2}http:/);
    const [, metrics = ''] = /metrics {2}(\S+)/.exec(banner) ?? [];
    expect((await fetch(metrics)).status).toBe(200);
  });

  it('serves one port over it where it is told so', async () => {
    const files = ['--tls-cert-file', fixture.certFile, '--tls-key-file', fixture.keyFile];
    const { url, grpcPort } = await serve(...files, '--tls-ports', 'grpc');
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
    const client = connectSecurely(grpcPort);
    expect(await client.unary(serverLive, {})).toMatchObject(live);
    client.close();
  });

  it('listens to other machines without more ado where clients need a certificate', async () => {
    const files = ['--tls-cert-file', fixture.certFile, '--tls-key-file', fixture.keyFile];
    const { url, banner } = await serve(
      ...files,
      '--tls-client-ca-file',
      fixture.caFile,
      '--host',
      '0.0.0.0',
    );
    const here = url.replace('0.0.0.0', '127.0.0.1');
    const { cert, key } = fixture.client;
    expect(JSON.parse(await isLive(here, { cert, key }))).toEqual(live);
    await expect(isLive(here)).rejects.toThrow();
    expect(banner).toContain('curl -s --insecure --cert CLIENT.crt --key CLIENT.key https://');
  });

  it('answers `nimify predict` where its authority is trusted, and tells how to trust it', async () => {
    const { url } = await serve('--tls-cert-file', fixture.certFile, '--tls-key-file', fixture.keyFile);
    const args = ['predict', url, '--model', 'iris', 'X=5.1,3.5,1.4,0.2'];
    const trusting = startNimify(args, { cwd: folder, env: { NODE_EXTRA_CA_CERTS: fixture.caFile } });
    expect(await trusting.finished).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('setosa') });
    const { exitCode, stderr } = await startNimify(args, { cwd: folder }).finished;
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/no authority that is trusted here; name one with .* NODE_EXTRA_CA_CERTS=FILE/);
  });

  it.each<[string, (file: TlsFixture) => readonly string[], RegExp]>([
    [
      'a certificate without its key',
      ({ certFile }) => ['--tls-cert-file', certFile],
      /^error: tls\.certFile \(flag --tls-cert-file\): expected its key \(--tls-key-file, `tls\.keyFile`\)/,
    ],
    [
      'authorities of clients alone',
      ({ caFile }) => ['--tls-client-ca-file', caFile],
      /^error: tls\.clientCaFile .*expected the certificate .* and its key .* beside it/,
    ],
    [
      'a file that is not there',
      ({ keyFile }) => ['--tls-cert-file', 'none.crt', '--tls-key-file', keyFile],
      /^error: tls\.certFile: none\.crt: there is no such file; expected the PEM file/,
    ],
    [
      'an encrypted key',
      ({ certFile, keyFile }) => ['--tls-cert-file', certFile, '--tls-key-file', encrypted(keyFile)],
      /^error: tls\.keyFile: .*is encrypted.*openssl pkey -in \S+ -out plain\.key/,
    ],
    [
      "another's key",
      ({ certFile, folder: own }) => {
        writeFileSync(join(own, 'other.key'), issue({ name: 'other' }).key);
        return ['--tls-cert-file', certFile, '--tls-key-file', join(own, 'other.key')];
      },
      /^error: tls\.keyFile: .*got the key of another/,
    ],
  ])('does not start with %s', async (_what, flags, says) => {
    running = startNimify(['serve', IRIS, ...FREE_PORTS, ...flags(fixture)], { cwd: folder });
    const { exitCode, stdout, stderr } = await running.finished;
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/PRIVATE KEY-----\n|[A-Za-z0-9+/]{50}/);
    expect([exitCode, stdout]).toEqual([78, '']);
  });
});

function encrypted(keyFile: string): string {
  const key = createPrivateKey(readFileSync(keyFile));
  const passphrase = 'secret';
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
  return keyFile;
}
