import type { AddressInfo, Server } from 'node:net';
import { NimifyError } from '../base/errors/nimify-error.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The flag with which the port was, or could be, chosen. */
export type PortFlag = '--http-port' | '--grpc-port' | '--metrics-port';

/** @throws NimifyError as `listen` */
export type Listen = (server: Server, host: string, port: number, flag: PortFlag) => Promise<ListenAddress>;

/**
 * Opens the port; 0 picks a free one.
 * @throws NimifyError CONFIG_INVALID: why the address cannot be listened on, and what to do
 */
export function listen(server: Server, host: string, port: number, flag: PortFlag): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port, flag));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      const { address, port: bound } = server.address() as AddressInfo;
      resolve({ host: address, port: bound });
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number, flag: PortFlag): NimifyError {
  const where = cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND' ? '--host' : flag;
  return new NimifyError(
    'CONFIG_INVALID',
    `cannot listen on ${host}:${port}: ${adviceFor(cause, port, flag)}`,
    {
      details: { where, got: where === '--host' ? host : port },
      cause,
    },
  );
}

function adviceFor(cause: NodeJS.ErrnoException, port: number, flag: PortFlag): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `the port is busy; pass another ${flag}, or find who holds it with: ss -ltnp 'sport = :${port}'`;
    case 'EACCES':
      return `this user may not open the port (those below 1024 need privileges); pass another ${flag}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'the address is none of this machine; pass --host 127.0.0.1, or 0.0.0.0 for all of its addresses';
    default:
      return `the system refuses it (${cause.code ?? 'no code'}); pass another --host or ${flag}`;
  }
}
