/** How much work waits, by its key: what stands before a newcomer is told without going through the queue. */
export interface WorkAhead {
  /** Gives the bucket, for `remove`. */
  add(key: number, workNs: number): number;
  remove(bucket: number, workNs: number): void;
  /** Work with keys up to about this one: exact to a bucket's width, and never less than it is. */
  before(key: number): number;
  /** Time went on: what is overdue stands before everything. */
  passed(nowNs: number): void;
}

const BUCKETS = 256;

/**
 * Sums in a ring of buckets by key. Keys further ahead than the ring reaches count in its last bucket, those in the
 * past in one of their own, into which buckets are emptied as time goes on.
 *
 * @param widthNs of a bucket: the ring reaches 256 of them ahead
 */
export function createWorkAhead(widthNs: number): WorkAhead {
  const ring = new Float64Array(BUCKETS);
  let overdueNs = 0;
  let totalNs = 0;
  /** The first bucket that is not overdue. */
  let from = 0;

  function bucketOf(key: number): number {
    return Math.min(Math.floor(key / widthNs), from + BUCKETS - 1);
  }

  return {
    add(key, workNs) {
      const bucket = bucketOf(key);
      totalNs += workNs;
      if (bucket < from) overdueNs += workNs;
      else ring[bucket % BUCKETS]! += workNs;
      return bucket;
    },
    remove(bucket, workNs) {
      totalNs -= workNs;
      if (bucket < from) overdueNs -= workNs;
      else ring[bucket % BUCKETS]! -= workNs;
    },
    before(key) {
      const last = bucketOf(key);
      if (last === from + BUCKETS - 1) return Math.max(0, totalNs);
      let sumNs = overdueNs;
      for (let bucket = from; bucket <= last; bucket++) sumNs += ring[bucket % BUCKETS]!;
      return Math.max(0, sumNs);
    },
    passed(nowNs) {
      const next = Math.floor(nowNs / widthNs);
      if (next <= from) return;
      const last = Math.min(next, from + BUCKETS);
      for (let bucket = from; bucket < last; bucket++) {
        overdueNs += ring[bucket % BUCKETS]!;
        ring[bucket % BUCKETS] = 0;
      }
      from = next;
    },
  };
}
