import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { ClientTls } from './contract.ts';

/**
 * What Node.js takes for a connection with TLS. It takes part only where the address asks for TLS.
 * @throws NimifyError CONFIG_INVALID: what is no PEM, or a key of another certificate
 */
export function toSecureOptions(tls: ClientTls | undefined): SecureContextOptions {
  if (tls === undefined) return {};
  const { ca, cert, key } = tls;
  const options: SecureContextOptions = {
    ...(ca === undefined ? {} : { ca: toText(ca) }),
    ...(cert === undefined ? {} : { cert: toText(cert) }),
    ...(key === undefined ? {} : { key: toText(key) }),
  };
  if ((cert === undefined) !== (key === undefined)) throw misfit('cert and key, or neither');
  try {
    createSecureContext(options);
  } catch (cause) {
    throw misfit('authorities, a certificate and its key, as PEM', cause);
  }
  return options;
}

function toText(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}

/** What was given is not told: a key may be in it. */
function misfit(expected: string, cause?: unknown): NimifyError {
  return new NimifyError('CONFIG_INVALID', `tls: expected ${expected}`, {
    details: { where: 'tls', expected },
    cause,
  });
}
