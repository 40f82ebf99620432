import { describe, expect, it } from 'vitest';
import { along, cellBelow, GRID, nearestCell } from './row-grid.ts';

describe('the grid of sizes', () => {
  it('has every size up to 8, then steps of about a quarter, powers of two among them', () => {
    expect([...GRID.slice(0, 14)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 25, 32]);
    expect([64, 128, 256, 512, 1024, 65536].every((rows) => GRID.includes(rows))).toBe(true);
    for (let cell = 8; cell < GRID.length; cell++) expect(GRID[cell]! / GRID[cell - 1]!).toBeLessThan(1.31);
  });

  it('finds the cell at, below and nearest to a size, in the table and past it', () => {
    expect([1, 8, 9, 9.9, 10, 1024, 1025, 1e9].map(cellBelow)).toEqual([0, 7, 7, 7, 8, 28, 28, 46]);
    expect([1, 8, 9, 9.5, 12, 1100, 1250, 1e9].map((rows) => GRID[nearestCell(rows)])).toEqual([
      1, 8, 8, 10, 13, 1024, 1290, 65536,
    ]);
  });

  it('reads a curve between sizes and past the last one', () => {
    const curve = GRID.map((rows) => 5 + 2 * rows);
    for (const rows of [1, 3, 9, 11.5, 100, 2000, 1e6])
      expect(along(curve, rows)).toBeCloseTo(5 + 2 * rows, 3);
    expect(along(curve, 0)).toBe(7);
  });
});
