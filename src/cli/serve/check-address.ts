import { isIPv4 } from 'node:net';
import type { Config } from '../../base/config/load-config.ts';
import { originText } from '../../base/config/origin.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';

const PORTS = ['httpPort', 'grpcPort', 'metricsPort'] as const;

/**
 * Anyone who reaches the port may use the models, so an address that others can reach is opened only on the
 * user's word, or where clients need a certificate. Ports must differ.
 * @throws NimifyError CONFIG_INVALID
 */
export function checkAddress({ server, tls, origins }: Pick<Config, 'server' | 'tls' | 'origins'>): void {
  const named = (key: keyof Config['server']) => {
    const origin = origins[`server.${key}`];
    return `server.${key} (${origin === undefined ? 'default' : originText(origin)})`;
  };
  const isMutual = tls.clientCaFile !== undefined && tls.ports === 'both';
  if (server.auth !== 'none' && !isMutual && !isLoopback(server.host)) {
    throw new NimifyError(
      'CONFIG_INVALID',
      `${named('host')}: ${server.host} lets others reach the server, and it asks them for nothing; let in none but ` +
        'clients with a certificate (--tls-client-ca-file), add --no-auth or `server.auth: none` if everyone is meant, or leave the host out',
      {
        details: {
          where: 'server.host',
          expected: 'a loopback address, --tls-client-ca-file or --no-auth',
          got: server.host,
        },
      },
    );
  }
  const taken = new Map<number, string>();
  for (const key of PORTS) {
    const port = server[key];
    const other = taken.get(port);
    if (port !== 0 && other !== undefined) {
      throw new NimifyError(
        'CONFIG_INVALID',
        `${named(key)} and ${other} are both ${port}; give each its own`,
        {
          details: { where: `server.${key}`, got: port },
        },
      );
    }
    taken.set(port, named(key));
  }
}

/** 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), and the name that stands for them (RFC 6761). */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
