import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BORROWED } from '../../base/tensor/owner.ts';
import { type Clock, systemClock } from '../../base/util/clock.ts';
import type { RunRequest } from '../../model/engine.ts';
import { type FromThread, type ToThread, toPlainError } from './messages.ts';
import type { HostSession, SessionSource } from './session.ts';
import { prepareOutputs } from './transfer.ts';
import { yieldPriority } from './yield-priority.ts';

/**
 * The life of a session's thread: load, answer runs, and on `close` finish, free and leave by itself. The thread
 * is never ended from outside: `worker.terminate()` during a run aborts the whole process.
 */
export async function serveThread(
  open: (source: SessionSource, clock: Clock) => Promise<HostSession>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this module runs in a worker thread only');
  // Before the session is made: the engine's own threads are as urgent as the one that starts them.
  yieldPriority();
  let session: HostSession;
  try {
    session = await open(workerData as SessionSource, systemClock);
  } catch (refused) {
    post(port, { type: 'refused', error: toPlainError(refused) });
    return; // nobody listens on the port, so nothing keeps the thread
  }
  port.on('message', (message: ToThread) => {
    if (message.type === 'run') void answer(port, session, message);
    else void session.close().then(() => port.close());
  });
  post(port, { type: 'loaded', info: session.info });
}

async function answer(
  port: MessagePort,
  session: HostSession,
  { id, inputs, outputs }: Extract<ToThread, { type: 'run' }>,
): Promise<void> {
  try {
    const request: RunRequest = { inputs, outputs, owner: BORROWED };
    // This thread has nothing else to do, so a run may block it at once.
    const result = session.runNow === undefined ? await session.run(request) : session.runNow(request);
    const { tensors, transfer } = prepareOutputs(result.outputs);
    post(port, { type: 'result', id, outputs: tensors, computeNs: result.computeNs }, transfer);
  } catch (failed) {
    post(port, { type: 'failed', id, error: toPlainError(failed) });
  }
}

function post(port: MessagePort, message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
