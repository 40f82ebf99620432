/**
 * Sizes of the axes after the rows that are not 1, -1 where dynamic. Exactly one where an output holds scores by class:
 * `[N,C]`, `[C]` or `[N,C,1,1]`.
 */
export function classAxes(shape: readonly number[]): readonly number[] {
  return (shape.length > 1 ? shape.slice(1) : shape).filter((dimension) => dimension !== 1);
}

/**
 * The classes with the highest scores, best first, at most `top`; NaN sorts last, equal scores stay in order. Those
 * that were best so far are held as a heap, the worst of them first: most classes are passed by after one comparison.
 */
export function bestClasses(
  classes: number,
  scoreOf: (index: number) => number | bigint,
  top: number,
): readonly number[] {
  const best: number[] = [];
  const rank = (index: number) => {
    const score = scoreOf(index);
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
  };

  function isWorse(one: number, other: number): boolean {
    const a = rank(one);
    const b = rank(other);
    return a < b || (a === b && one > other);
  }

  function swap(one: number, other: number): void {
    const index = best[one]!;
    best[one] = best[other]!;
    best[other] = index;
  }

  function rise(place: number): void {
    for (let at = place; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isWorse(best[at]!, best[parent]!)) return;
      swap(at, parent);
      at = parent;
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      let worst = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < best.length; child++) {
        if (isWorse(best[child]!, best[worst]!)) worst = child;
      }
      if (worst === at) return;
      swap(at, worst);
      at = worst;
    }
  }

  for (let index = 0; index < classes; index += 1) {
    if (best.length < top) rise(best.push(index) - 1);
    else if (rank(index) > rank(best[0]!)) {
      best[0] = index;
      sink();
    }
  }
  return best.sort((one, other) => (isWorse(one, other) ? 1 : -1));
}
