/** Two ways of doing the same, measured by turns. */
export interface Comparison {
  /** False: the one way is to be gone now; true: the other. */
  readonly isOther: boolean;
  /** @param value of what grows with the cost: a time, say */
  start(value: number): void;
  /**
   * One thing more was done. `read` gives the value now, and is called at the end of each block only.
   * @returns when all blocks are over: the other way's cost as a share of the one's; undefined before
   */
  done(read: () => number): number | undefined;
}

/**
 * So many things a block and so many blocks, of the two ways by turns as ABBA, so that what grows faster or slower
 * meanwhile weighs on both alike. Each way counts by the median of its blocks: one that was disturbed weighs nothing.
 * @param blocks a multiple of four
 */
export function createComparison({
  perBlock,
  blocks,
}: {
  readonly perBlock: number;
  readonly blocks: number;
}): Comparison {
  const costs = { one: new Float64Array(blocks / 2), other: new Float64Array(blocks / 2) };
  let block = 0;
  let count = 0;
  let from = 0;
  let isOther = false;

  function begin(value: number): void {
    count = 0;
    from = value;
    isOther = block % 4 === 1 || block % 4 === 2;
  }

  return {
    get isOther() {
      return isOther;
    },
    start(value) {
      block = 0;
      begin(value);
    },
    done(read) {
      count += 1;
      if (count < perBlock) return undefined;
      const value = read();
      (isOther ? costs.other : costs.one)[block >> 1] = value - from;
      block += 1;
      if (block === blocks) return medianOf(costs.other) / medianOf(costs.one);
      begin(value);
      return undefined;
    },
  };
}

/** Of a list of even length, which is put in order. */
function medianOf(list: Float64Array): number {
  list.sort();
  const middle = list.length / 2;
  return ((list[middle - 1] as number) + (list[middle] as number)) / 2;
}
