/** Words of Python that are no identifiers (The Python Language Reference, 2.3.1). */
const PYTHON_KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/**
 * Identifiers for names, in their order, valid in Python and TypeScript, and no two alike. A name that is one already
 * keeps it, whatever comes before it; of two that only come to be alike the later one gets a number.
 *
 * @param reserved what means something else where the identifiers are to stand
 */
export function toIdentifiers(names: readonly string[], reserved: readonly string[] = []): readonly string[] {
  const taken = new Set(reserved);
  const identifiers = names.map(toIdentifier);
  const chosen = new Map<number, string>();
  const isKept = (index: number) => identifiers[index] === names[index];
  const order = [...names.keys()].sort((a, b) => Number(isKept(b)) - Number(isKept(a)) || a - b);
  for (const index of order) {
    const wanted = identifiers[index] as string;
    let free = wanted;
    for (let number = 2; taken.has(free); number += 1) free = `${wanted}_${number}`;
    taken.add(free);
    chosen.set(index, free);
  }
  return names.map((_, index) => chosen.get(index) as string);
}

/**
 * Letters and digits stay, everything else becomes `_`. Normalised as Python does it by itself (PEP 3131), so that names
 * which it takes for one are one here. No `_` comes first: Python mangles such names, and the client's own begin so.
 */
function toIdentifier(name: string): string {
  const plain = name
    .normalize('NFKC')
    // What Unicode has added of late, mostly beyond the basic plane, some versions of Python do not know.
    .replace(/[\u{10000}-\u{10ffff}]|[^\p{L}\p{Mn}\p{Mc}\p{Nd}]/gu, '_')
    .replace(/^_+/, '');
  if (plain === '') return 'unnamed';
  // A mark that comes first joins the letter that is put before it.
  const identifier = (/^\p{XID_Start}/u.test(plain) ? plain : `n${plain}`).normalize('NFKC');
  return PYTHON_KEYWORDS.has(identifier) ? `${identifier}_` : identifier;
}

/** `own_iris_rf` as `OwnIrisRf`: names of types, no two alike. */
export function toTypeNames(names: readonly string[]): readonly string[] {
  return toIdentifiers(
    names.map((name) =>
      toIdentifier(name)
        .split('_')
        .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
        .join(''),
    ),
  );
}
