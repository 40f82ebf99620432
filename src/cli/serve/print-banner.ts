import { VERSION } from '../../base/util/version.ts';
import { answeringVersions } from '../../registry/versions.ts';
import type { RunningServer, TlsSettings } from '../../server.ts';
import { styleFor } from '../style.ts';
import { renderBanner } from './banner.ts';
import { firstCall } from './first-call.ts';

/** Says on stdout what is served where, with a first call for the newest version of each model. */
export async function printBanner(
  { url, metricsUrl, grpcAddress, registry }: RunningServer,
  tls: TlsSettings | undefined,
): Promise<void> {
  const curl = curlFor(tls);
  const isGrpcSecure = tls !== undefined && tls.ports !== 'http';
  const answering = answeringVersions(registry.list());
  const models = [];
  for (const served of answering) {
    const isNamed = answering.length > 1;
    models.push({ served, call: await firstCall(served, { curl, url, registry, isNamed }) });
  }
  process.stdout.write(
    renderBanner({
      ...{ version: VERSION, curl, url, metricsUrl, models, style: styleFor(process.stdout) },
      grpcAddress: grpcAddress === undefined || !isGrpcSecure ? grpcAddress : `${grpcAddress} (TLS)`,
    }),
  );
}

/**
 * The command that reaches the server at the address that it listens on: its certificate is mostly for another name. A
 * client's own certificate only the reader knows.
 */
function curlFor(tls: TlsSettings | undefined): string {
  if (tls === undefined || tls.ports === 'grpc') return 'curl -s';
  const client = tls.clientCaFile === undefined ? '' : ' --cert CLIENT.crt --key CLIENT.key';
  return `curl -s --insecure${client}`;
}
