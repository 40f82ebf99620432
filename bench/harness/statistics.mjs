export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median and spread of some runs. */
export function summarize(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Of the runs of the same round, which lie next to each other in time: what moves both cancels out. */
export function ratios(ours, theirs) {
  const both = Math.min(ours.length, theirs.length);
  return Array.from({ length: both }, (_, round) => ours[round] / theirs[round]);
}
