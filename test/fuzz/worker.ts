import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import type { FuzzTarget } from './target.ts';
import { createTargets } from './targets/all.ts';

/** What a fuzzing thread is told. */
export interface Assignment {
  readonly dataFolder: string;
  readonly seed: number;
  /** Undefined: all, by turns. */
  readonly target: string | undefined;
  /** This one input instead of generated ones. */
  readonly replay: Uint8Array | undefined;
  readonly current: SharedArrayBuffer;
}

/** What it reports. */
export type Report =
  | { readonly type: 'start'; readonly target: string; readonly seed: number }
  | { readonly type: 'batch'; readonly target: string; readonly seed: number; readonly runs: number }
  | {
      readonly type: 'finding';
      readonly target: string;
      readonly seed: number;
      readonly input: Uint8Array;
      readonly error: string;
    };

/** The input that is being read, for whoever finds this thread hanging: 4 bytes of count, 4 of length, the input. */
export const CURRENT_BYTES = 4 << 20;
const HEAD_BYTES = 8;

export function readCurrent(shared: SharedArrayBuffer): {
  readonly count: number;
  readonly input: Uint8Array;
} {
  const [count = 0, length = 0] = new Int32Array(shared, 0, 2);
  return { count, input: new Uint8Array(shared).slice(HEAD_BYTES, HEAD_BYTES + length) };
}

const RUNS_IN_BATCH = 200;
/** Processor time; the inputs have some kilobytes. */
const MAX_CPU_SECONDS = 5;

async function runLimited(target: FuzzTarget, input: Uint8Array, shared: SharedArrayBuffer): Promise<void> {
  const head = new Int32Array(shared, 0, 2);
  const kept = input.subarray(0, shared.byteLength - HEAD_BYTES);
  new Uint8Array(shared).set(kept, HEAD_BYTES);
  Atomics.store(head, 1, kept.length);
  Atomics.add(head, 0, 1);
  const before = process.cpuUsage();
  await target.run(input);
  const { user, system } = process.cpuUsage(before);
  if (user + system > MAX_CPU_SECONDS * 1e6)
    throw new Error(`took ${(user + system) / 1e6} s of processor time`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncause: ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

async function fuzz({ seed, dataFolder, target: wanted, replay, current }: Assignment): Promise<void> {
  const all = await createTargets(dataFolder);
  const targets = all.filter(({ name }) => wanted === undefined || name === wanted);
  if (targets.length === 0)
    throw new Error(`no target '${wanted}'; there are ${all.map(({ name }) => name)}`);
  const report = (message: Report) => parentPort?.postMessage(message);

  for (let batch = seed; ; batch += 1) {
    for (const target of targets) {
      report({ type: 'start', target: target.name, seed: batch });
      const inputs = replay === undefined ? target.inputs : fc.constant(replay);
      let faults: Error[] = [];
      const property = fc.asyncProperty(inputs, async (input) => {
        faults = [];
        await runLimited(target, input, current);
        if (faults.length > 0) throw faults[0];
      });
      const note = (fault: Error) => faults.push(fault);
      process.on('uncaughtException', note);
      process.on('unhandledRejection', note);
      const runs = replay === undefined ? RUNS_IN_BATCH : 1;
      const result = await fc.check(property, {
        seed: batch,
        numRuns: runs,
        interruptAfterTimeLimit: 60_000,
      });
      process.off('uncaughtException', note);
      process.off('unhandledRejection', note);
      if (result.failed && result.counterexample !== null) {
        const [input] = result.counterexample;
        report({
          type: 'finding',
          target: target.name,
          seed: batch,
          input,
          error: describe(result.errorInstance),
        });
      }
      report({ type: 'batch', target: target.name, seed: batch, runs: result.numRuns });
    }
    if (replay !== undefined) break;
  }
  for (const target of all) await target.close?.();
}

if (parentPort !== null) await fuzz(workerData as Assignment);
