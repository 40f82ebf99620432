import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { HostSession, SessionInfo, SessionSource, SessionValue } from '../host/session.ts';
import { toLoadError, toRunError } from './native-errors.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { fromOrtTensor, toDatatype, toOrtTensor } from './tensors.ts';

/**
 * Loads a model on this thread. Loading and every run block the thread until they are done.
 * @throws NimifyError INVALID_INPUT, UNSUPPORTED, NOT_FOUND, ENGINE_FAILED
 */
export async function openOrtSession(source: SessionSource, clock: Clock): Promise<HostSession> {
  const runtime = await loadRuntime();
  const before = process.memoryUsage.rss();
  const session = await createSession(runtime, source);
  const info: SessionInfo = {
    inputs: session.inputMetadata.map(toValue),
    outputs: session.outputMetadata.map(toValue),
    memoryBytes: Math.max(0, process.memoryUsage.rss() - before),
  };
  const running = new Set<Promise<unknown>>();

  async function run(request: RunRequest): Promise<RunResult> {
    const feeds: Record<string, OrtTensor> = {};
    for (const tensor of request.inputs) feeds[tensor.name] = toOrtTensor(runtime, tensor);
    // `run` does its work in a setImmediate; one set right before it starts right before it, so that the time
    // measured is the run's and not that of whatever else the event loop did in between.
    let startNs = clock.nowNs();
    setImmediate(() => {
      startNs = clock.nowNs();
    });
    const made = await session.run(feeds, request.outputs);
    const computeNs = clock.nowNs() - startNs;
    return { outputs: request.outputs.map((name) => fromOrtTensor(name, made[name]!)), computeNs };
  }

  return {
    info,
    available: true,
    failedRestarts: 0,
    onChange() {},
    async run(request) {
      const result = run(request);
      running.add(result);
      try {
        return await result;
      } catch (thrown) {
        throw toRunError(thrown);
      } finally {
        running.delete(result);
      }
    },
    async close() {
      await Promise.allSettled(running);
      await session.release();
    },
  };
}

async function createSession(runtime: Runtime, source: SessionSource): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(source.path, {
      ...(source.providers === undefined ? {} : { executionProviders: source.providers }),
      intraOpNumThreads: source.intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // The arena never gives memory back: one large request would hold gigabytes of it for good. Measured without
      // it, runs take 0 to 6 % longer (mnist, own_langid, squeezenet_fp16).
      enableCpuMemArena: false,
      logSeverityLevel: 4,
    });
  } catch (thrown) {
    throw toLoadError(source.path, thrown);
  }
}

function toValue(metadata: InferenceSession.ValueMetadata): SessionValue {
  return {
    name: metadata.name,
    datatype: metadata.isTensor ? toDatatype(metadata.type) : undefined,
  };
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
