/**
 * Sizes of the axes after the rows that are not 1, -1 where dynamic. Exactly one where an output holds scores by class:
 * `[N,C]`, `[C]` or `[N,C,1,1]`.
 */
export function classAxes(shape: readonly number[]): readonly number[] {
  return (shape.length > 1 ? shape.slice(1) : shape).filter((dimension) => dimension !== 1);
}

/**
 * The classes with the highest scores, best first, at most `top`; NaN sorts last, equal scores stay in order. One pass
 * with a short insertion sort: cheaper than sorting a thousand classes.
 */
export function bestClasses(
  classes: number,
  scoreOf: (index: number) => number,
  top: number,
): readonly number[] {
  const best: number[] = [];
  const rank = (index: number) => {
    const score = scoreOf(index);
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
  };
  for (let index = 0; index < classes; index += 1) {
    const score = rank(index);
    let place = best.length;
    while (place > 0 && rank(best[place - 1]!) < score) place -= 1;
    if (place < top) {
      best.splice(place, 0, index);
      if (best.length > top) best.pop();
    }
  }
  return best;
}
