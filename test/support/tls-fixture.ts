import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SILENT } from '../../src/base/telemetry/log.ts';
import { type Clock, systemClock } from '../../src/base/util/clock.ts';
import { createServerTls, type ServerTls, type ServerTlsOptions } from '../../src/protocol/server-tls.ts';
import { type Issued, issue, issueCa } from './certificates.ts';

/** Test support: an authority, a server's certificate and a client's, as files in a folder of their own. */
export interface TlsFixture {
  readonly folder: string;
  readonly ca: Issued;
  /** Signed by the authority. */
  readonly client: Issued;
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority's. */
  readonly caFile: string;
  /** Writes other ones to the server's files. */
  renew(issued: Issued): void;
  serverTls(options?: ServerTlsFixtureOptions): Promise<ServerTls>;
  remove(): void;
}

export interface ServerTlsFixtureOptions extends Partial<Pick<ServerTlsOptions, 'log' | 'receiveTimeoutMs'>> {
  readonly isMutual?: boolean;
  readonly clock?: Clock;
}

export function createTlsFixture(): TlsFixture {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-tls-'));
  const ca = issueCa('test authority');
  const client = issue({ name: 'test client', issuer: ca });
  const certFile = join(folder, 'server.crt');
  const keyFile = join(folder, 'server.key');
  const caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, ca.cert);

  function renew({ cert, key }: Issued): void {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
  }

  renew(issue({ name: 'test server', issuer: ca }));
  return {
    folder,
    ca,
    client,
    certFile,
    keyFile,
    caFile,
    renew,
    serverTls({ isMutual = false, clock = systemClock, log = SILENT, receiveTimeoutMs = 30_000 } = {}) {
      const clientCaFile = isMutual ? caFile : undefined;
      return createServerTls({ files: { certFile, keyFile, clientCaFile }, clock, log, receiveTimeoutMs });
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
