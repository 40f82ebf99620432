import type { Config } from '../../base/config/load-config.ts';
import { toNimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import { readTlsIdentity } from '../../protocol/tls-files.ts';
import { toTlsSettings } from '../serve/tls-settings.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const DAY_MS = 24 * 3600e3;

/** Renewal by machine leaves a third of 90 days; by hand it takes some. */
const SOON_MS = 14 * DAY_MS;

/** Whether the certificate can be served; nothing where none is configured. */
export async function checkTls(
  config: Pick<Config, 'tls' | 'origins'>,
  clock: Clock,
): Promise<readonly Finding[]> {
  try {
    const settings = toTlsSettings(config);
    if (settings === undefined) return [];
    const { validFromMs, validToMs } = await readTlsIdentity(settings);
    const nowMs = clock.wallMs();
    const says = `the certificate in ${settings.certFile} holds from ${toDay(validFromMs)} to ${toDay(validToMs)}`;
    const isFine = nowMs >= validFromMs && nowMs + SOON_MS <= validToMs;
    return [
      isFine
        ? ok('tls', says)
        : warn('tls', says, 'have another issued: clients refuse it outside of these days'),
    ];
  } catch (thrown) {
    const { code, message } = toNimifyError(thrown);
    return [fail('tls', code, message, 'mend it; `nimify config` shows where the setting comes from')];
  }
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
