import type { InferenceSession } from 'onnxruntime-node';
import type { HostSession, SessionInfo, SessionSource } from '../host/session.ts';

/** A loaded model, by either of the ways to one. */
export type OpenedSession = Pick<HostSession, 'run' | 'runNow' | 'close'> &
  Pick<SessionInfo, 'inputs' | 'outputs'>;

export function sessionOptions({
  providers,
  intraOpThreads,
  memoryArena = false,
  graphOptimization = 'all',
}: SessionSource): InferenceSession.SessionOptions {
  return {
    ...(providers === undefined ? {} : { executionProviders: providers }),
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: graphOptimization,
    // The arena never gives memory back: one large request would hold gigabytes of it for good. Measured without
    // it, runs take 0 to 6 % longer (mnist, own_langid, squeezenet_fp16).
    enableCpuMemArena: memoryArena,
    logSeverityLevel: 4,
  };
}
