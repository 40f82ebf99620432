/** Who may be given a connection. */
export interface Candidate {
  readonly openConnections: number;
  /** When it was given its last, as a count of all that were given; 0: never. */
  readonly lastGiven: number;
}

/** The one with the fewest open connections, and of those the one that has waited longest for another. */
export function leastLoaded<Each extends Candidate>(candidates: Iterable<Each>): Each | undefined {
  let least: Each | undefined;
  for (const one of candidates) if (least === undefined || isBefore(one, least)) least = one;
  return least;
}

function isBefore(one: Candidate, other: Candidate): boolean {
  if (one.openConnections !== other.openConnections) return one.openConnections < other.openConnections;
  return one.lastGiven < other.lastGiven;
}
