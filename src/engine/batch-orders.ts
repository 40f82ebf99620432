/** Which rows the proof of the batch axis runs together, by their index. */

type Order = readonly number[];

/** Of a model of fixed batches, so many orders beside the first one: an influence may hide in one, not in all. */
const SHUFFLES = 2;

/** Of batches of any size: each alone, all together, and a rotation by two: every row moves, and the outlier comes to stand before typical rows. */
export function openOrders(rows: number): readonly Order[] {
  const inOrder = Array.from({ length: rows }, (_, index) => index);
  return [...inOrder.map((index) => [index]), inOrder, inOrder.map((index) => (index + 2) % rows)];
}

/** Of batches of `size`: the first `known` rows by themselves, then all of them in several orders. */
export function fixedOrders(
  size: number,
  known: number,
  rows: number,
  random: () => number,
): readonly Order[] {
  const inOrder = Array.from({ length: rows }, (_, index) => index);
  const shuffled = Array.from({ length: SHUFFLES }, () => shuffle(inOrder, random));
  return [
    ...inOrder.slice(0, known).map((index) => Array.from({ length: size }, () => index)),
    ...[inOrder, ...shuffled].flatMap((order) => inBatches(order, size)),
  ];
}

/** The last one is filled up from the start. */
function inBatches(order: Order, size: number): readonly Order[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, batch) =>
    Array.from({ length: size }, (__, place) => order[(batch * size + place) % order.length]!),
  );
}

/** R. Fisher and F. Yates, 1938. */
function shuffle(order: Order, random: () => number): Order {
  const shuffled = [...order];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[at]] = [shuffled[at]!, shuffled[last]!];
  }
  return shuffled;
}
