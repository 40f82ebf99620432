import { isIPv4 } from 'node:net';
import { NimifyError } from '../../base/errors/nimify-error.ts';

export interface AddressFlags {
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  /** False: `--no-auth` was given. */
  readonly auth: boolean;
}

/**
 * Anyone who reaches the port may use the models, so an address that others can reach is opened only on the
 * user's word. Ports must differ, the one that is kept for gRPC too.
 * @throws NimifyError CONFIG_INVALID
 */
export function checkAddressFlags(flags: AddressFlags): void {
  if (flags.auth && !isLoopback(flags.host)) {
    throw new NimifyError(
      'CONFIG_INVALID',
      `--host ${flags.host} lets others reach the server, and this version has no credentials to ask them for; ` +
        'add --no-auth if that is meant, or leave --host out',
      { details: { where: '--host', expected: 'a loopback address, or --no-auth', got: flags.host } },
    );
  }
  const ports = new Map<number, string>();
  for (const [name, port] of [
    ['--http-port', flags.httpPort],
    ['--grpc-port', flags.grpcPort],
    ['--metrics-port', flags.metricsPort],
  ] as const) {
    const other = ports.get(port);
    if (port !== 0 && other !== undefined) {
      throw new NimifyError('CONFIG_INVALID', `${name} and ${other} are both ${port}; give each its own`, {
        details: { where: name, got: port },
      });
    }
    ports.set(port, name);
  }
}

/** 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), and the name that stands for them (RFC 6761). */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
