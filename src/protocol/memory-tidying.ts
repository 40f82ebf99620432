import type { Clock } from '../base/util/clock.ts';
import type { MemoryGauge } from './memory-gauge.ts';

/** Makes room where there is none: gives back what is kept for later, and collects what nobody looks at any more. */
export interface MemoryTidying {
  /** @param letGo called when there is no room */
  onShort(letGo: () => void): void;
  /** So much was let go, and lies there until it is collected. */
  wasted(bytes: number): void;
  /** Measures at least, where that was not done a moment ago. */
  makeRoom(): void;
  /** Collects and measures, where that was not done a moment ago. @returns whether it was done now */
  tidyUp(): boolean;
}

export interface TidyingOptions {
  readonly clock: Clock;
  readonly gauge: MemoryGauge;
  /** Collects garbage. */
  readonly collect: () => void;
  /** Gives back to the system what the C library keeps of it. */
  readonly trim: () => void;
  readonly isAtRest: () => boolean;
  /** The most that requests ever held, in bytes. */
  readonly mostBytes: () => number;
  /** What is resident now is in use. */
  readonly onTidy: () => void;
}

/** To measure costs some 10 µs: not for each of many that are refused. */
const MEASURE_EVERY_NS = 1e6;
const COLLECT_EVERY_NS = 0.5e9;
/** The same while nothing is held, when more is learned by it. */
const COLLECT_AT_REST_EVERY_NS = 0.1e9;
/** It is collected sooner where so much was let go. */
const MOST_WASTE_BYTES = 16 * 2 ** 20;

export function createMemoryTidying(options: TidyingOptions): MemoryTidying {
  const { clock, gauge, collect, trim, isAtRest, mostBytes, onTidy } = options;
  const letGos: (() => void)[] = [];
  let wasteBytes = 0;
  let measuredAtNs = Number.NEGATIVE_INFINITY;
  let collectedAtNs = Number.NEGATIVE_INFINITY;

  function tidyUp(): boolean {
    const nowNs = clock.nowNs();
    const everyNs = isAtRest() ? COLLECT_AT_REST_EVERY_NS : COLLECT_EVERY_NS;
    if (nowNs - collectedAtNs < everyNs && wasteBytes < MOST_WASTE_BYTES) return false;
    wasteBytes = 0;
    collect();
    trim();
    // It takes some milliseconds, more where much is freed.
    collectedAtNs = clock.nowNs();
    if (isAtRest()) gauge.measureAtRest(mostBytes());
    else gauge.measure();
    onTidy();
    return true;
  }

  return {
    tidyUp,
    onShort(letGo) {
      letGos.push(letGo);
    },
    wasted(bytes) {
      wasteBytes += bytes;
    },
    makeRoom() {
      const nowNs = clock.nowNs();
      if (nowNs - measuredAtNs < MEASURE_EVERY_NS && wasteBytes < MOST_WASTE_BYTES) return;
      measuredAtNs = nowNs;
      for (const letGo of letGos) letGo();
      if (!tidyUp()) gauge.measure();
    },
  };
}
