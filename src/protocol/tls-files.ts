import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { NimifyError } from '../base/errors/nimify-error.ts';

/** Where a server's identity lies: files in PEM. */
export interface TlsFiles {
  /** The server's certificate, and below it those that lead from it to its authority. */
  readonly certFile: string;
  /** The private key of the first certificate; not encrypted. */
  readonly keyFile: string;
  /** Certificates of the authorities whose clients are let in, and no others. Undefined: every client is. */
  readonly clientCaFile?: string | undefined;
}

/** What the files held, checked: a server can be opened with it. */
export interface TlsIdentity {
  readonly credentials: Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'minVersion'>;
  /** Between these the server's own certificate holds, in milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Certificates have some kilobytes; what is larger is another file. */
const MAX_BYTES = 2 ** 20;

type Option = keyof TlsFiles;

/** What is expected of each, and how to get there. */
const EXPECTED: Readonly<Record<Option, string>> = {
  certFile: "the PEM file of the server's certificate",
  keyFile: "the PEM file of the private key of the server's certificate",
  clientCaFile: 'the PEM file of the authorities that sign the certificates of clients',
};

/** Where such a file stands in the configuration. */
export function optionName(option: Option): string {
  return `tls.${option}`;
}

/**
 * Reads the files. No error holds anything of a key.
 * @throws NimifyError CONFIG_INVALID: which file is wrong, and what to do
 */
export async function readTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const certificates = toCertificates('certFile', files.certFile, await readText(files, 'certFile'));
  const key = toKey(files.keyFile, await readText(files, 'keyFile'));
  const [own] = certificates;
  checkFit(files, certificates, key);
  const cas =
    files.clientCaFile === undefined
      ? undefined
      : toCertificates('clientCaFile', files.clientCaFile, await readText(files, 'clientCaFile'));
  const credentials = {
    cert: certificates.map(String).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    ...(cas === undefined ? {} : { ca: cas.map(String) }),
    // Whatever Node is told by its own options.
    minVersion: 'TLSv1.2',
  } as const;
  checkUsable(files, credentials);
  return {
    credentials,
    validFromMs: Date.parse(own!.validFrom),
    validToMs: Date.parse(own!.validTo),
  };
}

/** What tells a state of the files from the next. Undefined: one of them is not there. */
export async function stampOf(files: TlsFiles): Promise<string | undefined> {
  const paths = [files.certFile, files.keyFile, files.clientCaFile].filter((path) => path !== undefined);
  try {
    // Through links: volumes of Kubernetes are renewed by one that is turned.
    const infos = await Promise.all(paths.map((path) => stat(path)));
    return infos.map(({ dev, ino, size, mtimeMs }) => `${dev}:${ino}:${size}:${mtimeMs}`).join(' ');
  } catch {
    return undefined;
  }
}

async function readText(files: TlsFiles, option: Option): Promise<string> {
  const path = files[option] ?? '';
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) {
      throw fault(option, path, `expected ${EXPECTED[option]}, got ${size} bytes; name another file`);
    }
    return await readFile(path, 'latin1');
  } catch (cause) {
    if (cause instanceof NimifyError) throw cause;
    throw fault(option, path, whyUnreadable((cause as NodeJS.ErrnoException).code, option), cause);
  }
}

function whyUnreadable(code: string | undefined, option: Option): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no such file; expected ${EXPECTED[option]}`;
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read the file; make it readable for the one that runs the server, and for no others';
    case 'EISDIR':
      return `expected ${EXPECTED[option]}, got a folder; name the file in it`;
    default:
      return `the file cannot be read (${code ?? 'no code'}); expected ${EXPECTED[option]}`;
  }
}

interface Block {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  /** With its first and last line. */
  readonly text: string;
}

/** The blocks of a PEM file (RFC 7468); what stands between them is for people. */
function blocksOf(text: string): readonly Block[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g);
  return [...blocks].map(([block, label = '']) => ({ label, text: block }));
}

const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE'];

function toCertificates(
  option: 'certFile' | 'clientCaFile',
  path: string,
  text: string,
): readonly X509Certificate[] {
  const blocks = blocksOf(text);
  const certificates = blocks.filter(({ label }) => CERTIFICATE_LABELS.includes(label));
  if (certificates.length === 0) {
    throw fault(
      option,
      path,
      `expected a certificate in PEM, between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----, got ${describe(blocks, text)}`,
    );
  }
  return certificates.map((block, index) => {
    try {
      return new X509Certificate(block.text);
    } catch (cause) {
      const which = certificates.length === 1 ? 'its certificate' : `certificate ${index + 1} in it`;
      throw fault(option, path, `${which} is damaged; write the file anew from where it was issued`, cause);
    }
  });
}

function toKey(path: string, text: string): KeyObject {
  const blocks = blocksOf(text);
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    throw fault(
      'keyFile',
      path,
      `expected a private key in PEM, between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----, got ${describe(blocks, text)}`,
    );
  }
  if (block.label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(block.text)) {
    throw fault(
      'keyFile',
      path,
      `the key is encrypted, and there is nobody to ask for its passphrase; write it out without one, readable for the server's user alone: (umask 077; openssl pkey -in ${path} -out plain.key)`,
    );
  }
  try {
    return createPrivateKey(block.text);
  } catch (cause) {
    throw fault('keyFile', path, 'its key is damaged; write the file anew from where it was made', cause);
  }
}

/** What a file holds instead of what was expected, and how to make that of it. */
function describe(blocks: readonly Block[], text: string): string {
  const [first] = blocks;
  if (first !== undefined) return `a ${first.label.toLowerCase()}; are two of the files mixed up?`;
  if (text.trim() === '') return 'an empty file';
  // DER and PKCS#12 both begin with a sequence.
  if (text.startsWith('0')) {
    return 'something binary; for DER write it as PEM with openssl x509 (or openssl pkey) -inform der, for PKCS#12 with openssl pkcs12 -nodes';
  }
  return 'something else';
}

function checkFit(files: TlsFiles, certificates: readonly X509Certificate[], key: KeyObject): void {
  const fitting = certificates.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (fitting === 0) return;
  if (fitting > 0) {
    throw fault(
      'certFile',
      files.certFile,
      `expected the server's own certificate first, the one of the key in ${files.keyFile}, got it in place ${fitting + 1}; put it before those of the authorities`,
    );
  }
  throw fault(
    'keyFile',
    files.keyFile,
    `expected the private key of the certificate in ${files.certFile}, got the key of another; these two must print the same: openssl x509 -in ${files.certFile} -noout -pubkey, and openssl pkey -in ${files.keyFile} -pubout`,
  );
}

/** What OpenSSL thinks of them together: some are too weak for it. */
function checkUsable(files: TlsFiles, credentials: TlsIdentity['credentials']): void {
  try {
    createSecureContext(credentials);
  } catch (cause) {
    const { code = 'no code' } = cause as NodeJS.ErrnoException;
    const weak = /TOO_(SMALL|WEAK)|MD_TOO/.test(code) ? ': it is too weak' : '';
    throw fault(
      'certFile',
      files.certFile,
      `OpenSSL refuses the certificate or its key (${code})${weak}; have another issued, such as with an RSA key of 2048 bits or a key on the curve P-256`,
      cause,
    );
  }
}

function fault(option: Option, path: string, says: string, cause?: unknown): NimifyError {
  return new NimifyError('CONFIG_INVALID', `${optionName(option)}: ${path}: ${says}`, {
    details: { where: optionName(option), got: path },
    ...(cause === undefined ? {} : { cause }),
  });
}
