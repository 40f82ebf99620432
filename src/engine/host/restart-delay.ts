/** What lived for this long was not broken from the start: its death is the first of a row. */
export const STEADY_NS = 30e9;

const FIRST_MS = 100;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next start, after `deaths` in a row: nothing after the first, then up to twice as
 * long each time, at most 30 s. Half of it is drawn at random, so that children that died together (of a full
 * machine, of one bad request sent to all) do not all start together.
 */
export function restartDelayMs(deaths: number, random: () => number): number {
  if (deaths <= 1) return 0;
  const windowMs = Math.min(FIRST_MS * 2 ** (deaths - 2), LONGEST_MS);
  return windowMs / 2 + (random() * windowMs) / 2;
}
