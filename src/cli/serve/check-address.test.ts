import { describe, expect, it } from 'vitest';
import type { Config } from '../../base/config/load-config.ts';
import { checkAddress } from './check-address.ts';

const CLEAR_TEXT = {
  certFile: undefined,
  keyFile: undefined,
  clientCaFile: undefined,
  ports: 'both',
} as const;

function check(
  changes: Partial<Config['server']>,
  origins: Config['origins'] = {},
  tls: Partial<Config['tls']> = {},
): () => void {
  const server = {
    host: '127.0.0.1',
    auth: 'loopback',
    httpPort: 8000,
    grpcPort: 8001,
    metricsPort: 8002,
    maxBodyBytes: 1,
    receiveTimeoutMs: 1,
    sendTimeoutMs: 1,
    httpReader: 'own',
    busyPoll: 'auto',
    maxConnections: undefined,
    maxMemoryBytes: 'auto',
    processes: 1,
    supervise: 'auto',
    drainPauseMs: 0,
    graceMs: 1,
    ...changes,
  } as const;
  return () => checkAddress({ server, tls: { ...CLEAR_TEXT, ...tls }, origins });
}

describe('checkAddress', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('lets %s pass', (host) => {
    expect(check({ host })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.0.0.1.evil.example', '::ffff:127.0.0.1'])(
    'wants --no-auth for %s',
    (host) => {
      expect(check({ host })).toThrow(/--no-auth/);
      expect(check({ host, auth: 'none' })).not.toThrow();
    },
  );

  it('lets any address pass where clients need a certificate on each port', () => {
    expect(check({ host: '0.0.0.0' }, {}, { clientCaFile: 'ca.crt' })).not.toThrow();
    expect(check({ host: '0.0.0.0' }, {}, { clientCaFile: 'ca.crt', ports: 'grpc' })).toThrow(/--no-auth/);
    expect(check({ host: '0.0.0.0' }, {}, { certFile: 'server.crt' })).toThrow(/--tls-client-ca-file/);
  });

  it('refuses one port for two things, but not 0, and tells where they come from', () => {
    const origins = { 'server.metricsPort': { from: 'env', name: 'NIMIFY_METRICS_PORT' } } as const;
    expect(check({ metricsPort: 8000 }, origins)).toThrow(
      'server.metricsPort (env NIMIFY_METRICS_PORT) and server.httpPort (default) are both 8000; give each its own',
    );
    expect(check({ httpPort: 0, metricsPort: 0 })).not.toThrow();
  });
});
