import { BORROWED } from '../base/tensor/owner.ts';
import { concatRows, rowCount, sliceRows } from '../base/tensor/rows.ts';
import { elementCount, type Tensor } from '../base/tensor/tensor.ts';
import type { Clock } from '../base/util/clock.ts';
import type { RunRequest, RunResult, TuneEffort } from '../model/engine.ts';
import type { Signature } from '../model/signature.ts';

/** What one run of so many rows took, from the call to its answer: a hop to a thread included, where there is one. */
export interface RunSample {
  readonly rows: number;
  readonly ns: number;
}

export interface WarmUpInput {
  readonly signature: Signature;
  readonly run: (request: RunRequest) => Promise<RunResult>;
  readonly clock: Clock;
  /** Inputs of `rows` rows that the model answers. */
  readonly inputsOf: (rows: number) => readonly Tensor[];
  /** Runs of more rows are not tried; 1 where rows are not counted. */
  readonly mostRows: number;
  /** Nor are runs that can be foreseen to take longer. */
  readonly mostNs: number;
  /** Time for all runs together. */
  readonly budgetNs: number;
  /** Runs are made within the call that asks for them, so that a run takes what the engine takes. */
  readonly isInline: boolean;
  /** Default: this process's. */
  readonly memory?: MemoryWatch;
}

export interface MemoryWatch {
  /** Largest resident size that the process ever had. */
  peakBytes(): number;
  freeBytes(): number;
}

/** Time for the runs of a warm-up. */
export const WARM_UP_NS: Readonly<Record<TuneEffort, number>> = { off: 0, auto: 200e6, full: 2e9 };

/** Of each size: so many runs, and where they are short, more, until what they run through is compiled. */
const RUNS_OF_A_SIZE = 4;
const MOST_RUNS_OF_A_SIZE = 128;
const SHORT_NS = 2e6;
/** The first runs of a size make what the next ones find ready, so only the last of them count. */
const COUNTED_RUNS = 3;
/** Inputs of more elements are not made up, as in the search for an example. */
const MAX_ELEMENTS = 2 ** 24;
/** Twice the rows have gained nothing where rows per second rose by less than this... */
const LEAST_GAIN = 1.02;
/** ...and after so many doublings in a row no further one will. */
const DOUBLINGS_WITHOUT_GAIN = 2;
/** Share of the free memory that a batch may be foreseen to take. */
const MEMORY_SHARE = 1 / 4;

/**
 * Runs 1, 2, 4, 8, ... rows, and tells what each took. It ends where more rows gain nothing, at the limits of its
 * input, and where the model refuses a batch or memory would run short: whoever reads on extrapolates.
 */
export async function warmUp(input: WarmUpInput): Promise<readonly RunSample[]> {
  const { clock, mostRows, mostNs, memory = THIS_PROCESS } = input;
  const untilNs = clock.nowNs() + input.budgetNs;
  const startPeakBytes = memory.peakBytes();
  const samples: RunSample[] = [];
  let lastNs = 0;
  let bestRate = 0;
  let withoutGain = 0;

  for (let rows = 1; rows <= mostRows && withoutGain < DOUBLINGS_WITHOUT_GAIN; rows *= 2) {
    const expectedNs = 2 * lastNs;
    if (expectedNs > mostNs || clock.nowNs() + 2 * expectedNs > untilNs) break;
    // Memory of a run is given back after it, so what the next one will take is seen at the peak only.
    const expectedBytes = 2 * (memory.peakBytes() - startPeakBytes);
    if (expectedBytes > memory.freeBytes() * MEMORY_SHARE) break;
    const times = await timeRuns(input, rows, untilNs);
    if (times.length === 0) break;
    for (const ns of times) samples.push({ rows, ns });
    lastNs = Math.min(...times);
    const rate = rows / lastNs;
    withoutGain = rate < bestRate * LEAST_GAIN ? withoutGain + 1 : 0;
    bestRate = Math.max(bestRate, rate);
  }
  return samples;
}

/** None where the model refuses so many rows. Where time allows one run only, that one counts. */
async function timeRuns(
  { signature, run, clock, inputsOf, isInline }: WarmUpInput,
  rows: number,
  untilNs: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  try {
    const inputs = inputsOf(rows);
    if (inputs.some(({ shape }) => elementCount(shape) > MAX_ELEMENTS)) return [];
    const outputs = signature.outputs.map((spec) => spec.name);
    const fromNs = clock.nowNs();
    for (let made = 0; made < MOST_RUNS_OF_A_SIZE; made++) {
      if (made >= RUNS_OF_A_SIZE && clock.nowNs() - fromNs >= SHORT_NS) break;
      if (made > 0 && clock.nowNs() + times[made - 1]! > untilNs) break;
      const startNs = clock.nowNs();
      const { computeNs } = await run({ inputs, outputs, owner: BORROWED });
      times.push(isInline ? computeNs : clock.nowNs() - startNs);
    }
  } catch {
    return []; // too many rows, or too much memory: the sizes below are known
  }
  return times.length > 1 ? times.slice(Math.max(1, times.length - COUNTED_RUNS)) : times;
}

/** As many rows as wanted out of those that are there, again and again in their order. */
export function repeatRows(inputs: readonly Tensor[], rows: number): readonly Tensor[] {
  return inputs.map((tensor) => {
    const there = rowCount(tensor);
    const whole = Math.floor(rows / there);
    const rest = rows % there;
    return concatRows([
      ...Array.from({ length: whole }, () => tensor),
      ...(rest === 0 ? [] : [sliceRows(tensor, 0, rest)]),
    ]);
  });
}

const THIS_PROCESS: MemoryWatch = {
  peakBytes: () => process.resourceUsage().maxRSS * 1024,
  freeBytes: () => process.availableMemory(),
};
