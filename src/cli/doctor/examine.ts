import type { Layer } from '../../base/config/layer.ts';
import type { Config } from '../../base/config/load-config.ts';
import { toNimifyError } from '../../base/errors/nimify-error.ts';
import { systemClock } from '../../base/util/clock.ts';
import { readConfig } from '../read-config.ts';
import { checkAddress } from '../serve/check-address.ts';
import { checkProcesses } from '../serve/processes/check-processes.ts';
import { checkEngine } from './check-engine.ts';
import { checkLimits } from './check-limits.ts';
import {
  checkClock,
  checkCores,
  checkDisk,
  checkFileDescriptors,
  checkMemory,
  checkNode,
  checkThreads,
} from './check-machine.ts';
import { checkPorts } from './check-ports.ts';
import { checkTls } from './check-tls.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Looks at everything that a server needs, without loading a model. */
export async function examine(flags: Layer): Promise<readonly Finding[]> {
  const { config, findings } = await checkConfig(flags);
  return [
    checkNode(),
    ...findings,
    ...(await checkEngine(config)),
    checkCores(),
    checkMemory(),
    ...(config === undefined ? [] : checkLimits(config.server)),
    ...(config === undefined ? [] : await checkPorts(config.server)),
    ...(config === undefined ? [] : await checkTls(config, systemClock)),
    checkFileDescriptors(),
    await checkClock(),
    await checkThreads(),
    await checkDisk(),
  ];
}

async function checkConfig(
  flags: Layer,
): Promise<{ readonly config: Config | undefined; readonly findings: readonly Finding[] }> {
  try {
    const config = await readConfig([], flags);
    const says =
      config.file === undefined ? 'no configuration file, which is fine' : `${config.file} is valid`;
    const warnings = config.warnings.map((warning) =>
      warn('config', warning, 'rename the variable or unset it'),
    );
    return { config, findings: [...settingFindings(config), ok('config', says), ...warnings] };
  } catch (thrown) {
    const { code, message } = toNimifyError(thrown);
    return {
      config: undefined,
      findings: [fail('config', code, message, 'mend it; `nimify config` reads it again')],
    };
  }
}

function settingFindings(config: Config): readonly Finding[] {
  try {
    checkAddress(config);
    checkProcesses(config);
    return [];
  } catch (thrown) {
    const { code, message } = toNimifyError(thrown);
    return [fail('config', code, message, 'mend the setting; `nimify config` shows where it comes from')];
  }
}
