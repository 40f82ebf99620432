import type { Config } from '../../base/config/load-config.ts';
import { toNimifyError } from '../../base/errors/nimify-error.ts';
import { findNativeAnew } from '../../engine/onnxruntime/native/find-native.ts';
import {
  installCommand,
  listProviders,
  loadProblem,
  type Provider,
  providerName,
} from '../../engine/onnxruntime/providers.ts';
import { loadRuntime } from '../../engine/onnxruntime/runtime.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Whether the native library loads, and which execution providers can be used. */
export async function checkEngine(config: Config | undefined): Promise<readonly Finding[]> {
  try {
    const { env } = await loadRuntime();
    const wanted = new Set(
      [config?.defaults, ...(config?.models ?? []).map(({ settings }) => settings)].flatMap((settings) =>
        (settings?.engine.providers ?? []).map(providerName),
      ),
    );
    const providers = await listProviders();
    const unknown = [...wanted].filter((name) => providers.every((provider) => provider.name !== name));
    return [
      ok('engine', `ONNX Runtime ${env.versions.node ?? env.versions.common} loads`),
      await checkNative(),
      ...providers.map((provider) => describeProvider(provider, wanted.has(provider.name))),
      ...unknown.map((name) =>
        fail(
          'provider',
          'UNSUPPORTED',
          `${name}: ONNX Runtime has none of this name here`,
          'mend engine.providers',
        ),
      ),
    ];
  } catch (thrown) {
    const { code, message } = toNimifyError(thrown);
    return [
      fail(
        'engine',
        code,
        message,
        'reinstall nimify on a supported system: Linux with glibc, macOS, Windows',
      ),
    ];
  }
}

/** Whether one session can be shared by all runs; where not, models run on threads with a copy each. */
async function checkNative(): Promise<Finding> {
  const found = await findNativeAnew();
  if (found.ok)
    return ok('native', `the host passes its self-test; room for ${found.places.count} runs at once`);
  const { cause, reason } = found;
  return warn('native', `${reason}${cause instanceof Error ? `: ${cause.message}` : ''}`, NATIVE_MEND);
}

const NATIVE_MEND =
  'models run on threads instead, with a copy of the weights each; reinstall nimify to mend it';

export function describeProvider({ name, state, libraries }: Provider, isWanted: boolean): Finding {
  if (state === 'bundled') return ok('provider', `${name}: built in`);
  if (state === 'missing') {
    const mend = `install it: ${installCommand()}`;
    if (isWanted) return fail('provider', 'UNSUPPORTED', `${name}: configured, but not installed`, mend);
    return { ...ok('provider', `${name}: not installed`), mend };
  }
  const problem = libraries.map(loadProblem).find((one) => one !== undefined);
  if (problem === undefined) return ok('provider', `${name}: installed`);
  const says = `${name}: installed, but the loader does not find ${problem}`;
  const mend = `install NVIDIA's libraries that hold ${problem}, or name their folder in LD_LIBRARY_PATH`;
  return isWanted ? fail('provider', 'UNSUPPORTED', says, mend) : warn('provider', says, mend);
}
