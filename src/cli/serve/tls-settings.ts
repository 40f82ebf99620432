import type { Config } from '../../base/config/load-config.ts';
import { originText } from '../../base/config/origin.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { TlsSettings } from '../../server.ts';

/**
 * Certificate and key of the server; undefined: clear text.
 * @throws NimifyError CONFIG_INVALID where one is named without the other
 */
export function toTlsSettings({ tls, origins }: Pick<Config, 'tls' | 'origins'>): TlsSettings | undefined {
  const { certFile, keyFile, clientCaFile, ports } = tls;
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile, clientCaFile, ports };
  const [given] = (['certFile', 'keyFile', 'clientCaFile'] as const).filter((key) => tls[key] !== undefined);
  if (given === undefined) return undefined;
  const origin = origins[`tls.${given}`];
  const missing = [
    ...(certFile === undefined ? ['the certificate (--tls-cert-file, `tls.certFile`)'] : []),
    ...(keyFile === undefined ? ['its key (--tls-key-file, `tls.keyFile`)'] : []),
  ].join(' and ');
  throw new NimifyError(
    'CONFIG_INVALID',
    `tls.${given} (${origin === undefined ? 'default' : originText(origin)}): expected ${missing} beside it; name it, or leave this out`,
    { details: { where: `tls.${given}`, got: tls[given] } },
  );
}
