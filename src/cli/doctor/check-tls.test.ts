import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issue } from '../../../test/support/certificates.ts';
import { systemClock } from '../../base/util/clock.ts';
import { checkTls } from './check-tls.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-doctor-tls-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const NONE = { certFile: undefined, keyFile: undefined, clientCaFile: undefined, ports: 'both' } as const;

async function check(days: number) {
  const { cert, key } = issue({ name: 'server', to: new Date(Date.now() + days * 24 * 3600e3) });
  const certFile = join(folder, `${days}.crt`);
  const keyFile = join(folder, `${days}.key`);
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return checkTls({ tls: { ...NONE, certFile, keyFile }, origins: {} }, systemClock);
}

it('says nothing where there is no certificate', async () => {
  expect(await checkTls({ tls: NONE, origins: {} }, systemClock)).toEqual([]);
});

it('says how long the certificate holds, and warns shortly before its end', async () => {
  expect(await check(90)).toMatchObject([{ status: 'ok', says: expect.stringContaining('holds from 2') }]);
  expect(await check(3)).toMatchObject([{ status: 'warn', says: expect.stringContaining('3.crt') }]);
});

it('fails where it cannot be served, or is named without its key', async () => {
  const certFile = join(folder, 'none.crt');
  const both = { ...NONE, certFile, keyFile: certFile };
  expect(await checkTls({ tls: both, origins: {} }, systemClock)).toMatchObject([
    { status: 'fail', code: 'CONFIG_INVALID', says: expect.stringContaining('there is no such file') },
  ]);
  const alone = { tls: { ...NONE, certFile }, origins: {} };
  expect(await checkTls(alone, systemClock)).toMatchObject([
    { status: 'fail', says: expect.stringContaining('--tls-key-file') },
  ]);
});
