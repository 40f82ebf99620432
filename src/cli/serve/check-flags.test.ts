import { describe, expect, it } from 'vitest';
import { type AddressFlags, checkAddressFlags } from './check-flags.ts';

const FLAGS: AddressFlags = {
  host: '127.0.0.1',
  httpPort: 8000,
  grpcPort: 8001,
  metricsPort: 8002,
  auth: true,
};

describe('checkAddressFlags', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('lets %s pass', (host) => {
    expect(() => checkAddressFlags({ ...FLAGS, host })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.0.0.1.evil.example', '::ffff:127.0.0.1'])(
    'wants --no-auth for %s',
    (host) => {
      expect(() => checkAddressFlags({ ...FLAGS, host })).toThrow(/--no-auth/);
      expect(() => checkAddressFlags({ ...FLAGS, host, auth: false })).not.toThrow();
    },
  );

  it('refuses one port for two things, but not 0', () => {
    expect(() => checkAddressFlags({ ...FLAGS, metricsPort: 8000 })).toThrow(
      /--metrics-port and --http-port are both 8000/,
    );
    expect(() => checkAddressFlags({ ...FLAGS, httpPort: 0, metricsPort: 0 })).not.toThrow();
  });
});
