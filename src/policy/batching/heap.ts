/** What can stand in a heap; in one at a time. */
export interface HeapItem {
  /** Smallest first. Whoever changes it while the item stands in a heap says so with `moved`. */
  key: number;
  /** Decides between equal keys. */
  readonly order: number;
  /** Written by the heap; -1: it stands in none. */
  place: number;
}

export interface Heap<Item extends HeapItem> {
  readonly size: number;
  first(): Item | undefined;
  push(item: Item): void;
  /** From anywhere; the item must stand in this heap. */
  remove(item: Item): void;
  /** Its key has changed. */
  moved(item: Item): void;
  items(): readonly Item[];
  /** The first so many, in order. They stay where they are. */
  ascending(most: number): readonly Item[];
}

/**
 * A binary heap whose items know their places, so that one leaves from anywhere in logarithmic time: requests are
 * cancelled and expire in the middle of the queue, and nothing of them is to stay behind.
 */
export function createHeap<Item extends HeapItem>(): Heap<Item> {
  const items: Item[] = [];

  function rise(item: Item, from: number): void {
    let place = from;
    while (place > 0) {
      const above = items[(place - 1) >> 1]!;
      if (!isBefore(item, above)) break;
      items[place] = above;
      above.place = place;
      place = (place - 1) >> 1;
    }
    items[place] = item;
    item.place = place;
  }

  function sink(item: Item, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && isBefore(items[below + 1]!, items[below]!)) below += 1;
      const next = items[below]!;
      if (!isBefore(next, item)) break;
      items[place] = next;
      next.place = place;
      place = below;
    }
    items[place] = item;
    item.place = place;
  }

  function moved(item: Item): void {
    const { place } = item;
    if (place > 0 && isBefore(item, items[(place - 1) >> 1]!)) rise(item, place);
    else sink(item, place);
  }

  return {
    get size() {
      return items.length;
    },
    first: () => items[0],
    push(item) {
      items.push(item);
      rise(item, items.length - 1);
    },
    remove(item) {
      const { place } = item;
      const last = items.pop()!;
      item.place = -1;
      if (last === item) return;
      items[place] = last;
      last.place = place;
      moved(last);
    },
    moved,
    items: () => items,
    ascending(most) {
      const sorted: Item[] = [];
      // Below an item that is sorted in stand the only ones that can be next.
      const next = items.slice(0, 1);
      while (next.length > 0 && sorted.length < most) {
        let least = 0;
        for (let at = 1; at < next.length; at++) if (isBefore(next[at]!, next[least]!)) least = at;
        const item = next[least]!;
        sorted.push(item);
        const below = 2 * item.place + 1;
        if (below < items.length) next[least] = items[below]!;
        else next.splice(least, 1);
        if (below + 1 < items.length) next.push(items[below + 1]!);
      }
      return sorted;
    },
  };
}

function isBefore(one: HeapItem, other: HeapItem): boolean {
  return one.key < other.key || (one.key === other.key && one.order < other.order);
}
