/** Gaps that the recent rate reaches back: a surge is to be noticed within a few runs. */
const RECENT = 24;
/** A pause counts as so many recent mean gaps at most. */
const MOST_MEAN_GAPS = 32;
/** Looks that what is known of its lasting reaches back. */
const MEMORY = 64;
/** Part of what a surge had above the mean that must be there again later. Gamma gaps come to a fifth of it by chance. */
const LASTS = 0.3;

/** Whether more than usual comes just now, and whether that says anything of what comes next. */
export interface Surge {
  /** Rows came after such a gap, which is worth so many mean gaps of forgetting. */
  arrived(gapNs: number, gaps: number, rows: number): void;
  /** The rate to reckon with from now on, where `meanPerNs` is that on the whole. Looks back at what it said before. */
  rowsPerNs(nowNs: number, meanPerNs: number): number;
}

/**
 * Rows that come independently are at times more and at times fewer, and then are as many as ever; but traffic of
 * people comes in surges, for which runs have to be larger. What sets them apart is whether the rate of late foretells
 * the next one: the slope of a regression, with forgetting, of what came since the last look on what should have
 * come by the recent rate, both less what comes on the whole. Looks count by the variance that counts would have.
 */
export function createSurge(): Surge {
  let recentRows = 0;
  let recentNs = 0;
  let cameRows = 0;
  let lookedNs = Number.NaN;
  let recentBefore = 0;
  let meanBefore = 0;
  let product = 0;
  let square = 0;

  function learn(forNs: number): void {
    const meanRows = meanBefore * forNs;
    const above = recentBefore * forNs - meanRows;
    const weight = 1 / (1 + Math.max(meanRows, meanRows + above));
    const keep = 1 - 1 / MEMORY;
    product = product * keep + (cameRows - meanRows) * above * weight;
    square = square * keep + above * above * weight;
  }

  return {
    arrived(gapNs, gaps, rows) {
      const kept = Math.exp(-gaps / RECENT);
      const mostNs = recentNs > 0 ? (recentNs / recentRows) * MOST_MEAN_GAPS : gapNs;
      recentRows = recentRows * kept + rows;
      recentNs = recentNs * kept + Math.min(gapNs, mostNs);
      cameRows += rows;
    },
    rowsPerNs(nowNs, meanPerNs) {
      const recentPerNs = recentNs > 0 ? recentRows / recentNs : 0;
      // Several runs may start at once: nothing is learned of no time.
      if (nowNs > lookedNs) learn(nowNs - lookedNs);
      if (!(nowNs <= lookedNs)) {
        lookedNs = nowNs;
        recentBefore = recentPerNs;
        meanBefore = meanPerNs;
        cameRows = 0;
      }
      return product > LASTS * (1 + square) ? Math.max(meanPerNs, recentPerNs) : meanPerNs;
    },
  };
}
