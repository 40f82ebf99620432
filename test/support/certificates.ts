import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** Test support: X.509 certificates made on the spot (RFC 5280), because Node reads them and writes none. */
export interface Issued {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
  readonly name: string;
}

export interface CertificateOptions {
  /** Common name. */
  readonly name: string;
  /** Who signs it. Default: it signs itself. */
  readonly issuer?: Issued;
  /** May it sign others? Default false. */
  readonly isCa?: boolean;
  /** Names and IPv4 addresses that it holds for. Default: those of this machine. */
  readonly hosts?: readonly string[];
  /** Default: an hour ago. */
  readonly from?: Date;
  /** Default: in an hour. */
  readonly to?: Date;
  /** Default: a new one on the curve P-256. */
  readonly privateKey?: KeyObject;
}

const HOUR_MS = 3600e3;

export function issue(options: CertificateOptions): Issued {
  const { name, issuer, isCa = false, hosts = ['localhost', '127.0.0.1'] } = options;
  const from = options.from ?? new Date(Date.now() - HOUR_MS);
  const to = options.to ?? new Date(Date.now() + HOUR_MS);
  const privateKey = options.privateKey ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const signer = issuer?.privateKey ?? privateKey;
  const algorithm = signer.asymmetricKeyType === 'rsa' ? SHA256_WITH_RSA : ECDSA_WITH_SHA256;
  const toSign = sequence(
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(1), randomBytes(8)),
    algorithm,
    commonName(issuer?.name ?? name),
    sequence(time(from), time(to)),
    commonName(name),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(isCa, hosts))),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', toSign, signer));
  return {
    cert: pem('CERTIFICATE', sequence(toSign, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
    name,
  };
}

/** One that may sign others. */
export function issueCa(name: string): Issued {
  return issue({ name, isCa: true, hosts: [] });
}

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

/** A value with its tag and length (X.690, 8.1). */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(SEQUENCE, ...contents);
}

function oid(hex: string): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(hex, 'hex'));
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), der(NULL));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');

function commonName(name: string): Buffer {
  return sequence(der(SET, sequence(COMMON_NAME, der(UTF8_STRING, Buffer.from(name)))));
}

/** Years from 2050 on have four digits. */
function time(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  const isLate = at.getUTCFullYear() >= 2050;
  return der(isLate ? GENERALIZED_TIME : UTC_TIME, Buffer.from(isLate ? text : text.slice(2)));
}

function extensions(isCa: boolean, hosts: readonly string[]): readonly Buffer[] {
  const yes = der(BOOLEAN, Buffer.of(0xff));
  const constraints = sequence(BASIC_CONSTRAINTS, yes, der(OCTET_STRING, sequence(...(isCa ? [yes] : []))));
  if (hosts.length === 0) return [constraints];
  const names = hosts.map((host) =>
    isIP(host) === 4
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host, 'ascii')),
  );
  return [constraints, sequence(SUBJECT_ALT_NAME, der(OCTET_STRING, sequence(...names)))];
}
