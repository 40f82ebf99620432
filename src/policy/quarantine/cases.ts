import type { Clock } from '../../base/util/clock.ts';

/** A content that was in flight when an engine's instance ended. */
export interface Case {
  readonly fingerprint: string;
  readonly sketch: number;
  /** Instances that ended of it. */
  crashes: number;
  /** Until then it is refused; in the past: it is under suspicion. */
  refusedUntilNs: number;
  /** One is being tried; resolves with its outcome. */
  trial: Promise<void> | undefined;
}

export interface Cases {
  readonly size: number;
  mayHold(sketch: number): boolean;
  find(fingerprint: string): Case | undefined;
  open(fingerprint: string, sketch: number): Case;
  close(one: Case): void;
}

/** The oldest goes first: what is kept is bounded, whatever clients send. */
const MOST_CASES = 1000;
/** A suspicion that nothing has come of for so long is dropped. */
const LONGEST_NS = 3600e9;

export function createCases(clock: Clock): Cases {
  const cases = new Map<string, Case & { readonly sinceNs: number }>();
  /** How many there are of each sketch. */
  const sketches = new Map<number, number>();

  function close({ fingerprint, sketch }: Case): void {
    if (!cases.delete(fingerprint)) return;
    const others = sketches.get(sketch)! - 1;
    if (others === 0) sketches.delete(sketch);
    else sketches.set(sketch, others);
  }

  /** Also as room for another. */
  function closeOld(): void {
    for (const one of cases.values()) {
      const isOld = clock.nowNs() - Math.max(one.sinceNs, one.refusedUntilNs) > LONGEST_NS;
      if (cases.size < MOST_CASES && !isOld) return;
      close(one);
    }
  }

  return {
    get size() {
      return cases.size;
    },
    mayHold: (sketch) => sketches.has(sketch),
    find: (fingerprint) => cases.get(fingerprint),
    open(fingerprint, sketch) {
      closeOld();
      const sinceNs = clock.nowNs();
      const opened = {
        ...{ fingerprint, sketch, sinceNs, crashes: 0 },
        ...{ refusedUntilNs: Number.NEGATIVE_INFINITY, trial: undefined },
      };
      cases.set(fingerprint, opened);
      sketches.set(sketch, (sketches.get(sketch) ?? 0) + 1);
      return opened;
    },
    close,
  };
}
