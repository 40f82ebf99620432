/**
 * The known name that a mistyped one most likely means: the fewest edits (Levenshtein; two letters swapped are
 * two), at most two fifths of its length; case does not count. Undefined where none is that near.
 */
function nearestName(wanted: string, known: readonly string[]): string | undefined {
  if (wanted.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const name of known.slice(0, MAX_KNOWN)) {
    if (name.length > MAX_LENGTH) continue;
    const edits = editDistance(wanted.toLowerCase(), name.toLowerCase());
    if (edits < bestEdits && edits <= Math.ceil(name.length * 0.4) && edits < name.length) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** The end of an error about a mistyped name, `; did you mean 'X'?`, or nothing where no known name is near. */
export function didYouMean(wanted: string, known: readonly string[], quote = "'"): string {
  const near = nearestName(wanted, known);
  return near === undefined ? '' : `; did you mean ${quote}${near}${quote}?`;
}

/** The cost is quadratic in the length and clients choose the name. */
const MAX_LENGTH = 100;
const MAX_KNOWN = 200;

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
