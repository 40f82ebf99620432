import type { EngineInstance } from '../../model/engine.ts';
import type { Signature } from '../../model/signature.ts';
import { createHostedInstance } from './instance.ts';
import type { ProcessSession } from './process.ts';

/**
 * An instance of `instances` processes: the first, which has shown that the model loads, and others like it. Each
 * gives as many slots as it announced.
 * @throws NimifyError where one of the others does not start; all are closed then
 */
export async function loadProcesses(parts: {
  readonly first: ProcessSession;
  readonly open: () => Promise<ProcessSession>;
  readonly instances: number;
  readonly signature: Signature;
  readonly reason: string;
}): Promise<EngineInstance> {
  const { first, open, instances, signature, reason } = parts;
  const others = await Promise.allSettled(Array.from({ length: instances - 1 }, open));
  const sessions = [first, ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []))];
  const failed = others.find((other) => other.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(sessions.map((session) => session.close()));
    throw failed.reason;
  }
  const { slots } = first.hello;
  const each = slots === 1 ? '' : `, ${slots} runs at once in each`;
  const count = instances === 1 ? '1 process' : `${instances} processes`;
  return createHostedInstance({
    host: 'process',
    hostReason: `${reason}; ${count}${each}`,
    signature,
    memoryBytes: first.info.memoryBytes * instances,
    // Turn by turn, so that the first runs go to different processes.
    sessions: Array.from({ length: slots }, () => sessions).flat(),
  });
}
