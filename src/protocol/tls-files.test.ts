import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issue, issueCa, pem } from '../../test/support/certificates.ts';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { readTlsIdentity, stampOf, type TlsFiles } from './tls-files.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-tls-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const ca = issueCa('authority');
const middle = issue({ name: 'between', issuer: ca, isCa: true });
const own = issue({ name: 'server', issuer: middle });
const other = issue({ name: 'other' });

let files = 0;
function put(text: string | Buffer): string {
  files += 1;
  const path = join(folder, `${files}.pem`);
  writeFileSync(path, text);
  return path;
}

const CHAIN = own.cert + middle.cert;

function read(changes: Partial<Record<keyof TlsFiles, string | Buffer>> = {}) {
  const { certFile = CHAIN, keyFile = own.key, clientCaFile } = changes;
  return readTlsIdentity({
    certFile: put(certFile),
    keyFile: put(keyFile),
    clientCaFile: clientCaFile === undefined ? undefined : put(clientCaFile),
  });
}

async function refusal(read: Promise<unknown>): Promise<NimifyError> {
  const thrown = await read.then(
    () => new Error('the files were taken'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof NimifyError)) throw thrown;
  expect(thrown.code).toBe('CONFIG_INVALID');
  expect(JSON.stringify([thrown.message, thrown.details])).not.toMatch(/[A-Za-z0-9+/]{40}/);
  return thrown;
}

/** An encrypted key in both forms that OpenSSL writes. */
const ENCRYPTED = createPrivateKey(own.key).export({
  ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
} as const);
const OLD_ENCRYPTED = createPrivateKey(own.key).export({
  ...{ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
} as const);

describe('readTlsIdentity', () => {
  it('takes a certificate with its chain and key, whatever stands beside them in the files', async () => {
    const { credentials, validFromMs, validToMs } = await read({
      certFile: `subject: server\n${CHAIN.replaceAll('\n', '\r\n')}${own.key}`,
      keyFile: `${own.cert}some words\n${own.key}`,
      clientCaFile: ca.cert + other.cert,
    });
    expect(String(credentials.cert).match(/BEGIN CERT/g)).toHaveLength(2);
    expect(credentials).toMatchObject({ key: own.key, minVersion: 'TLSv1.2' });
    expect(credentials.ca).toHaveLength(2);
    expect([validFromMs < Date.now(), validToMs > Date.now()]).toEqual([true, true]);
  });

  it.each([
    ['pkcs1', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(PKCS1)],
    ['sec1', () => own.privateKey.export({ type: 'sec1', format: 'pem' })],
  ])('takes keys in the older form too (%s)', async (form, make) => {
    const key = String(make());
    const cert = issue({ name: form, privateKey: createPrivateKey(key) }).cert;
    expect((await read({ certFile: cert, keyFile: key })).credentials.ca).toBeUndefined();
  });

  it.each<[string, Partial<Record<keyof TlsFiles, string | Buffer>>, RegExp]>([
    ['an empty certificate file', { certFile: '' }, /^tls\.certFile: .*expected a certificate in PEM.*empty/],
    ['a key for a certificate', { certFile: own.key }, /^tls\.certFile: .*got a private key; are two of the/],
    ['a certificate for a key', { keyFile: own.cert }, /^tls\.keyFile: .*got a certificate; are two of the/],
    ['a certificate in DER', { certFile: der(own.cert) }, /^tls\.certFile: .*something binary; for DER/],
    ['words', { certFile: 'my certificate' }, /^tls\.certFile: .*got something else/],
    [
      'a damaged certificate',
      { certFile: pem('CERTIFICATE', Buffer.alloc(90)) },
      /its certificate is damaged/,
    ],
    [
      'a damaged one below',
      { certFile: own.cert + pem('CERTIFICATE', Buffer.alloc(90)) },
      /certificate 2 in it/,
    ],
    ['a damaged key', { keyFile: pem('PRIVATE KEY', Buffer.alloc(60)) }, /^tls\.keyFile: .*key is damaged/],
    ['an encrypted key', { keyFile: String(ENCRYPTED) }, /^tls\.keyFile: .*is encrypted.*openssl pkey -in /],
    ['an old encrypted key', { keyFile: String(OLD_ENCRYPTED) }, /^tls\.keyFile: .*is encrypted/],
    ["another's key", { keyFile: other.key }, /^tls\.keyFile: .*certificate in .*, got the key of another/],
    ['a chain upside down', { certFile: middle.cert + own.cert }, /^tls\.certFile: .*first.*in place 2/],
    ['authorities without any', { clientCaFile: 'none' }, /^tls\.clientCaFile: .*expected a certificate/],
    [
      'a file that is no such file',
      { certFile: Buffer.alloc(2 ** 20 + 1) },
      /^tls\.certFile: .*1048577 bytes/,
    ],
  ])('refuses %s, names the file and says what to do', async (_what, changes, says) => {
    expect((await refusal(read(changes))).message).toMatch(says);
  });

  it('refuses a key that is too weak for OpenSSL', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
    const weak = issue({ name: 'weak', privateKey });
    const error = await refusal(read({ certFile: weak.cert, keyFile: weak.key }));
    expect(error.message).toMatch(/^tls\.certFile: .*ERR_SSL_EE_KEY_TOO_SMALL.*too weak/);
  });

  it('refuses what is not there, is a folder, or may not be read', async () => {
    const keyFile = put(own.key);
    const missing = join(folder, 'none.pem');
    const error = await refusal(readTlsIdentity({ certFile: missing, keyFile }));
    expect(error.message).toBe(
      `tls.certFile: ${missing}: there is no such file; expected the PEM file of the server's certificate`,
    );
    expect(error.details).toEqual({ where: 'tls.certFile', got: missing });
    const inside = join(folder, 'inside');
    mkdirSync(inside);
    const certFile = put(CHAIN);
    expect((await refusal(readTlsIdentity({ certFile, keyFile: inside }))).message).toMatch(
      /^tls\.keyFile: .*got a folder/,
    );
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that this user may not read', async () => {
    const keyFile = put(own.key);
    chmodSync(keyFile, 0);
    const error = await refusal(readTlsIdentity({ certFile: put(CHAIN), keyFile }));
    expect(error.message).toMatch(/^tls\.keyFile: .*this user may not read the file/);
  });
});

describe('stampOf', () => {
  it('tells states of the files apart, and has none where one is not there', async () => {
    const paths = { certFile: put(CHAIN), keyFile: put(own.key) };
    const before = await stampOf(paths);
    expect(await stampOf(paths)).toBe(before);
    writeFileSync(paths.certFile, `${CHAIN}\n`);
    expect(await stampOf(paths)).not.toBe(before);
    expect(await stampOf({ ...paths, clientCaFile: join(folder, 'none') })).toBeUndefined();
  });
});

const PKCS1 = { type: 'pkcs1', format: 'pem' } as const;

function der(text: string): Buffer {
  return Buffer.from(text.replace(/-----.*-----|\n/g, ''), 'base64');
}
