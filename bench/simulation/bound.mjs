/**
 * The fewest requests that anybody could leave out at one slot, who knew all arrivals beforehand and whose runs of n
 * rows take `runNs(n)`: no batcher, which hears of a request when it comes, does better with runs that take no less.
 *
 * Exact, by going through the requests in order. All have the same time to their deadline, so that those who are
 * served may as well be in order of arrival, and a run that leaves out one in its middle does no better than one that
 * leaves out its first instead: its deadline is later, its last comes no later. So a run is of consecutive
 * requests, and for each request and number of those left out the earliest time that the slot can be free is all that
 * matters.
 *
 * @param {Float64Array} timesNs ascending
 * @param {{ objectiveNs: number, mostRows: number, runNs: (rows: number) => number, most: number }} how `most`: where
 *   more than so many must be left out, it does not look further
 * @returns {number | undefined} undefined: more than `most`
 */
export function fewestLeftOut(timesNs, { objectiveNs, mostRows, runNs, most }) {
  const count = timesNs.length;
  const runs = runTimes(mostRows, runNs, objectiveNs);
  /** When the slot is free at the earliest, with the first j requests decided on and so many of them left out. */
  let freeNs = new Float64Array(count + 1);
  let freeWithOneLessNs = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
  for (let leftOut = 0; leftOut <= most; leftOut += 1) {
    freeNs[0] = leftOut === 0 ? 0 : Number.POSITIVE_INFINITY;
    for (let j = 1; j <= count; j += 1) {
      const lastNs = timesNs[j - 1];
      let leastNs = freeWithOneLessNs[j - 1];
      for (let rows = 1; rows < runs.length && rows <= j; rows += 1) {
        const dueNs = timesNs[j - rows] + objectiveNs;
        // Of more rows the first would be due still earlier.
        if (lastNs + runs[rows] > dueNs) break;
        const endsNs = Math.max(lastNs, freeNs[j - rows]) + runs[rows];
        if (endsNs <= dueNs && endsNs < leastNs) leastNs = endsNs;
      }
      freeNs[j] = leastNs;
    }
    if (freeNs[count] < Number.POSITIVE_INFINITY) return leftOut;
    [freeNs, freeWithOneLessNs] = [freeWithOneLessNs, freeNs];
  }
  return undefined;
}

/** By rows from 1, those alone that are over within the objective. */
function runTimes(mostRows, runNs, objectiveNs) {
  const times = [Number.NaN];
  for (let rows = 1; rows <= mostRows && runNs(rows) <= objectiveNs; rows += 1) times.push(runNs(rows));
  return Float64Array.from(times);
}
