import { engineProcessBytes } from '../engine/host/engine-processes.ts';

/** What this process and those of its engines hold, measured now and then and reckoned in between. */
export interface MemoryGauge {
  /** What is held now, in bytes. */
  readonly usedBytes: number;
  /** As much of that can be used again. */
  readonly spareBytes: number;
  /** The least that was measured since models were last loaded. */
  readonly floorBytes: number;
  /** So many bytes have been written that were not there at the last measurement. */
  grew(bytes: number): void;
  /** Measures: some 10 µs. */
  measure(): void;
  /**
   * To be called when nothing is held for requests and garbage has been collected.
   * @param mostBytes what requests held at most so far
   */
  measureAtRest(mostBytes: number): void;
  /** Models were loaded or went away: what was known of the process holds no more. */
  startAnew(): void;
}

/** Growth after which it is measured again, in bytes: by so much a reckoning may be off. */
const MEASURE_EVERY_BYTES = 8 * 2 ** 20;

/**
 * The C library keeps memory that was freed, where it lies between other memory: it is part of the resident size, and
 * the next requests get it. So what the process has at rest beyond the least it ever had is spare, as far as requests
 * may have left it.
 *
 * @param residentBytes measures. Default: this process, and those that its engines started
 */
export function createMemoryGauge(
  residentBytes: () => number = () => process.memoryUsage.rss() + engineProcessBytes(),
): MemoryGauge {
  let measuredBytes = residentBytes();
  let floorBytes = measuredBytes;
  let grownBytes = 0;
  let spareBytes = 0;

  function measure(): void {
    measuredBytes = residentBytes();
    grownBytes = 0;
    floorBytes = Math.min(floorBytes, measuredBytes);
    spareBytes = Math.min(spareBytes, measuredBytes - floorBytes);
  }

  return {
    get usedBytes() {
      return measuredBytes + grownBytes;
    },
    get spareBytes() {
      return spareBytes;
    },
    get floorBytes() {
      return floorBytes;
    },
    grew(bytes) {
      grownBytes += bytes;
      if (grownBytes >= MEASURE_EVERY_BYTES) measure();
    },
    measure,
    measureAtRest(mostBytes) {
      measure();
      spareBytes = Math.min(measuredBytes - floorBytes, mostBytes);
    },
    startAnew() {
      measure();
      floorBytes = measuredBytes;
      spareBytes = 0;
    },
  };
}
