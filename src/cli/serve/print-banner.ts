import { VERSION } from '../../base/util/version.ts';
import { answeringVersions } from '../../registry/versions.ts';
import type { RunningServer } from '../../server.ts';
import { styleFor } from '../style.ts';
import { renderBanner } from './banner.ts';
import { firstCall } from './first-call.ts';

/** Says on stdout what is served where, with a first call for the newest version of each model. */
export async function printBanner({ url, metricsUrl, grpcAddress, registry }: RunningServer): Promise<void> {
  const answering = answeringVersions(registry.list());
  const models = [];
  for (const served of answering) {
    models.push({ served, call: await firstCall(served, { url, registry, isNamed: answering.length > 1 }) });
  }
  process.stdout.write(
    renderBanner({ version: VERSION, url, metricsUrl, grpcAddress, models, style: styleFor(process.stdout) }),
  );
}
