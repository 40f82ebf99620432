import { NimifyError } from '../../base/errors/nimify-error.ts';

/** Why an address cannot be listened on, and what to do. */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number): NimifyError {
  const where = cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND' ? '--host' : '--http-port';
  return new NimifyError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${adviceFor(cause, port)}`, {
    details: { where, got: where === '--host' ? host : port },
    cause,
  });
}

function adviceFor(cause: NodeJS.ErrnoException, port: number): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `the port is busy; pass another --http-port, or find who holds it with: ss -ltnp 'sport = :${port}'`;
    case 'EACCES':
      return 'this user may not open the port (those below 1024 need privileges); pass another --http-port';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'the address is none of this machine; pass --host 127.0.0.1, or 0.0.0.0 for all of its addresses';
    default:
      return `the system refuses it (${cause.code ?? 'no code'}); pass another --host or --http-port`;
  }
}
