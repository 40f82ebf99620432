const OCTAVES = 13;
const DENSE = 8;
const STEPS = 3;

/**
 * The numbers of rows at which run times are kept: every one up to 8, then three an octave (steps of 1.26), so that
 * powers of two are among them. A run of another size counts at the nearest and is read between its neighbours.
 */
export const GRID: Float64Array = createGrid();

function createGrid(): Float64Array {
  const dense = Array.from({ length: DENSE }, (_, at) => at + 1);
  const sparse = Array.from({ length: OCTAVES * STEPS }, (_, at) =>
    Math.round(DENSE * 2 ** ((at + 1) / STEPS)),
  );
  return Float64Array.from([...dense, ...sparse]);
}

/** Cell of the largest grid size that is not above `rows`, for every number of rows that is common. */
const BELOW = new Uint8Array(1025);
for (const [cell, size] of GRID.entries()) BELOW.fill(cell, size);

/** Index in `GRID` of the largest size that is not above `rows`; `rows` may be a fraction. */
export function cellBelow(rows: number): number {
  return rows <= 1024 ? BELOW[rows | 0]! : searchBelow(rows);
}

/** Index in `GRID` of the size nearest to `rows`. */
export function nearestCell(rows: number): number {
  const cell = cellBelow(rows);
  const above = GRID[cell + 1];
  return above !== undefined && above - rows < rows - GRID[cell]! ? cell + 1 : cell;
}

/** The curve through `values`, one for each size of the grid, at `rows`: straight between them and past the last. */
export function along(values: Float64Array, rows: number): number {
  if (rows <= 1) return values[0]!;
  const cell = Math.min(cellBelow(rows), GRID.length - 2);
  const low = GRID[cell]!;
  const value = values[cell]!;
  return rows === low
    ? value
    : value + ((values[cell + 1]! - value) * (rows - low)) / (GRID[cell + 1]! - low);
}

function searchBelow(rows: number): number {
  let low = 0;
  let high = GRID.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (GRID[middle]! <= rows) low = middle;
    else high = middle;
  }
  return low;
}
