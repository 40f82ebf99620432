import type { InferenceSession } from 'onnxruntime-node';
import type { Clock } from '../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { SessionSource, SessionValue } from '../host/session.ts';
import { toRunError } from './native-errors.ts';
import { type OpenedSession, sessionOptions } from './opened-session.ts';
import type { Runtime } from './runtime.ts';
import { toDatatype, toFeeds, toOutputs } from './tensors.ts';

/**
 * A session through the package's public API, for a version of it whose add-on is not known.
 * @throws what the package throws
 */
export async function openWrappedSession(
  runtime: Runtime,
  source: SessionSource,
  clock: Clock,
): Promise<OpenedSession> {
  const session = await runtime.InferenceSession.create(source.path, sessionOptions(source));
  const running = new Set<Promise<unknown>>();
  // The package keeps the names in an object that has a prototype: an output called `toString` is always asked for.
  const isInherited = session.outputNames.some((name) => name in Object.prototype);

  async function run(request: RunRequest): Promise<RunResult> {
    try {
      const feeds = toFeeds(runtime, request.inputs);
      // `run` does its work in a setImmediate; one set right before it starts right before it, so that the time
      // measured is the run's and not that of whatever else the event loop did in between.
      let startNs = clock.nowNs();
      setImmediate(() => {
        startNs = clock.nowNs();
      });
      const made = await session.run(feeds, isInherited ? session.outputNames : request.outputs);
      const computeNs = clock.nowNs() - startNs;
      return { outputs: toOutputs(request.outputs, made), computeNs };
    } catch (thrown) {
      throw toRunError(thrown);
    }
  }

  return {
    inputs: session.inputMetadata.map(toValue),
    outputs: session.outputMetadata.map(toValue),
    async run(request) {
      const result = run(request);
      running.add(result);
      try {
        return await result;
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

function toValue(metadata: InferenceSession.ValueMetadata): SessionValue {
  return {
    name: metadata.name,
    datatype: metadata.isTensor ? toDatatype(metadata.type) : undefined,
  };
}
