import { GRID } from './row-grid.ts';

/** What is known of each size of the grid. */
export interface Knots {
  readonly meanNs: Float64Array;
  /** How much a size is to be believed: its runs, fewer the longer ago they were; 0: nothing is known of it. */
  readonly weight: Float64Array;
  /** 99th percentile over the mean, less 1. */
  readonly tail: Float64Array;
  /** The same for the class as a whole. */
  classTail: number;
}

/** Runs that the straight line counts for beside those of a size. */
const LINE_WEIGHT = 1;
/** Relative distance from the line at which a size counts half in it. */
const FAR = 0.1;
const ROUNDS = 3;

// Scratch for one call: a fit never waits, so one set serves every model.
const seen = new Uint8Array(GRID.length);
const value = new Float64Array(GRID.length);
const belief = new Float64Array(GRID.length);
const reach = new Uint8Array(GRID.length);
const line = { fixedNs: 0, perRowNs: 0 };

/**
 * Draws both curves through the knots: each size is what was measured, drawn towards a straight line through all of
 * them the fewer and older its runs are; never falling with rows; straight between sizes; past them as the line runs and as over the last octave.
 * The line is a weighted least-squares fit of relative errors in which far-off sizes lose weight (iteratively
 * reweighted with Cauchy weights: P. Holland and R. Welsch, 1977). With a single size there is no line: half of
 * the time is taken to be fixed then, which makes larger sizes worth trying, and by the 99th percentile none of it.
 */
export function fitCosts(knots: Knots, typicalNs: Float64Array, p99Ns: Float64Array): void {
  let length = 0;
  for (let cell = 0; cell < GRID.length; cell++) if (knots.weight[cell]! > 0) seen[length++] = cell;
  if (length === 1) drawFromOne(knots, seen[0]!, typicalNs, p99Ns);
  else drawFromMany(knots, length, typicalNs, p99Ns);
}

function drawFromOne(
  { meanNs, tail, classTail }: Knots,
  only: number,
  typicalNs: Float64Array,
  p99Ns: Float64Array,
): void {
  const rows = GRID[only]!;
  const ns = meanNs[only]!;
  for (let cell = 0; cell < GRID.length; cell++) {
    const share = GRID[cell]! / rows;
    typicalNs[cell] = ns * (0.5 + 0.5 * share);
    p99Ns[cell] = ns * Math.max(1, share) * (1 + (cell === only ? tail[cell]! : classTail));
  }
  rise(p99Ns);
}

function drawFromMany(knots: Knots, length: number, typicalNs: Float64Array, p99Ns: Float64Array): void {
  fitLine(knots, length);
  for (let at = 0; at < length; at++) {
    const cell = seen[at]!;
    const onLine = line.fixedNs + line.perRowNs * GRID[cell]!;
    belief[at] = knots.weight[cell]! + LINE_WEIGHT;
    value[at] = (knots.meanNs[cell]! * knots.weight[cell]! + onLine * LINE_WEIGHT) / belief[at]!;
  }
  neverFalling(length);
  drawThrough(length, typicalNs);
  for (let cell = 0; cell < GRID.length; cell++) {
    p99Ns[cell] = typicalNs[cell]! * (1 + (knots.weight[cell]! > 0 ? knots.tail[cell]! : knots.classTail));
  }
  rise(p99Ns);
}

function fitLine({ meanNs, weight }: Knots, length: number): void {
  for (let at = 0; at < length; at++) belief[at] = weight[seen[at]!]!;
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) doubtFarOff(meanNs, weight, length);
    solveLine(meanNs, length);
  }
}

function doubtFarOff(meanNs: Float64Array, weight: Float64Array, length: number): void {
  for (let at = 0; at < length; at++) {
    const cell = seen[at]!;
    const far = ((line.fixedNs + line.perRowNs * GRID[cell]!) / meanNs[cell]! - 1) / FAR;
    belief[at] = weight[cell]! / (1 + far * far);
  }
}

/** Weighted least squares of relative errors; neither the fixed part nor that per row is ever below 0. */
function solveLine(meanNs: Float64Array, length: number): void {
  let ones = 0;
  let x = 0;
  let xx = 0;
  let y = 0;
  let xy = 0;
  for (let at = 0; at < length; at++) {
    const cell = seen[at]!;
    const ns = meanNs[cell]!;
    const rows = GRID[cell]!;
    const w = belief[at]! / (ns * ns);
    ones += w;
    x += w * rows;
    xx += w * rows * rows;
    y += w * ns;
    xy += w * rows * ns;
  }
  const spread = ones * xx - x * x;
  line.perRowNs = spread > 0 ? Math.max(0, (ones * xy - x * y) / spread) : 0;
  line.fixedNs = (y - line.perRowNs * x) / ones;
  if (line.fixedNs >= 0) return;
  line.fixedNs = 0;
  line.perRowNs = xy / xx;
}

/** Pool adjacent violators (M. Ayer et al., 1955): the nearest values that never fall, by weight. */
function neverFalling(length: number): void {
  let blocks = 0;
  for (let at = 0; at < length; at++) {
    value[blocks] = value[at]!;
    belief[blocks] = belief[at]!;
    reach[blocks] = at;
    while (blocks > 0 && value[blocks - 1]! > value[blocks]!) {
      const both = belief[blocks - 1]! + belief[blocks]!;
      value[blocks - 1] =
        (value[blocks - 1]! * belief[blocks - 1]! + value[blocks]! * belief[blocks]!) / both;
      belief[blocks - 1] = both;
      reach[blocks - 1] = at;
      blocks--;
    }
    blocks++;
  }
  for (let block = blocks - 1, at = length - 1; block >= 0; block--) {
    const first = block === 0 ? 0 : reach[block - 1]! + 1;
    const pooled = value[block]!;
    while (at >= first) value[at--] = pooled;
  }
}

function drawThrough(length: number, curve: Float64Array): void {
  const first = seen[0]!;
  const last = seen[length - 1]!;
  for (let cell = 0; cell < first; cell++) {
    const rows = GRID[cell]!;
    const alongLine = value[0]! - line.perRowNs * (GRID[first]! - rows);
    curve[cell] = Math.max(alongLine, (value[0]! * rows) / GRID[first]!);
  }
  for (let at = 0; at < length; at++) {
    const cell = seen[at]!;
    curve[cell] = value[at]!;
    if (at === 0) continue;
    const from = seen[at - 1]!;
    const slope = (value[at]! - value[at - 1]!) / (GRID[cell]! - GRID[from]!);
    for (let between = from + 1; between < cell; between++) {
      curve[between] = value[at - 1]! + slope * (GRID[between]! - GRID[from]!);
    }
  }
  const slope = slopeAtEnd(length);
  for (let cell = last + 1; cell < GRID.length; cell++) {
    curve[cell] = value[length - 1]! + slope * (GRID[cell]! - GRID[last]!);
  }
}

/** Between that of the line, which noise bends least, and that of the last octave, which follows costs that bend. */
function slopeAtEnd(length: number): number {
  const lastRows = GRID[seen[length - 1]!]!;
  let from = length - 2;
  while (from > 0 && GRID[seen[from]!]! > lastRows / 2) from--;
  const rows = lastRows - GRID[seen[from]!]!;
  return (line.perRowNs + (value[length - 1]! - value[from]!) / rows) / 2;
}

function rise(curve: Float64Array): void {
  for (let cell = 1; cell < curve.length; cell++) {
    if (curve[cell]! < curve[cell - 1]!) curve[cell] = curve[cell - 1]!;
  }
}
