import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { HostSession, SessionInfo, SessionSource } from '../host/session.ts';
import { type Binding, loadBinding } from './binding.ts';
import { toLoadError } from './native-errors.ts';
import { openNativeSession } from './native-session.ts';
import type { OpenedSession } from './opened-session.ts';
import { loadRuntime } from './runtime.ts';
import { openWrappedSession } from './wrapped-session.ts';

/**
 * Loads a model on this thread. Loading and every run block the thread until they are done.
 *
 * @param findBinding the add-on that runs go through at once, or undefined: through the package's public API
 * @throws NimifyError INVALID_INPUT, UNSUPPORTED, NOT_FOUND, ENGINE_FAILED
 */
export async function openOrtSession(
  source: SessionSource,
  clock: Clock,
  findBinding: () => Binding | undefined = loadBinding,
): Promise<HostSession> {
  const binding = findBinding();
  const runtime = binding === undefined ? await loadRuntime() : undefined;
  const before = process.memoryUsage.rss();
  const { inputs, outputs, ...runs } = await open(source, () =>
    runtime === undefined
      ? openNativeSession(binding!, source, clock)
      : openWrappedSession(runtime, source, clock),
  );
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - before);
  return {
    ...runs,
    info: { inputs, outputs, memoryBytes },
    available: true,
    failedRestarts: 0,
    onChange() {},
  };
}

async function open(
  { path }: SessionSource,
  load: () => OpenedSession | Promise<OpenedSession>,
): Promise<OpenedSession> {
  try {
    return await load();
  } catch (thrown) {
    throw toLoadError(path, thrown);
  }
}

/**
 * Refuses what would abort the process (int4 outputs do, when fetched) or cannot be fed, by what the session
 * itself says.
 * @throws NimifyError UNSUPPORTED
 */
export function checkSession(
  path: string,
  info: SessionInfo,
  wanted: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): void {
  for (const { name, datatype } of info.inputs) {
    if (datatype !== undefined && wanted.inputs.includes(name)) continue;
    throw new NimifyError(
      'UNSUPPORTED',
      `${path}: input '${name}' is required and is no tensor that ONNX Runtime for Node can take; export the ` +
        'model with plain tensors as inputs',
      { details: { where: `inputs.${name}` } },
    );
  }
  if (wanted.outputs.length === 0) {
    throw new NimifyError(
      'UNSUPPORTED',
      `${path}: the model has no output that is a tensor; nothing to serve`,
    );
  }
  for (const name of wanted.outputs) {
    if (info.outputs.some((output) => output.name === name && output.datatype !== undefined)) continue;
    throw new NimifyError(
      'UNSUPPORTED',
      `${path}: output '${name}' is of a type that ONNX Runtime for Node cannot give; cast it in the graph`,
      { details: { where: `outputs.${name}` } },
    );
  }
}
