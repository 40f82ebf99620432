import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeap, type HeapItem } from './heap.ts';

const step = fc.record({
  what: fc.constantFrom('push', 'push', 'remove', 'move', 'first'),
  key: fc.integer({ min: 0, max: 9 }),
  which: fc.nat(),
});

describe('createHeap', () => {
  it('is a list that is kept sorted, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const heap = createHeap<HeapItem>();
        const model: HeapItem[] = [];
        for (const [order, { what, key, which }] of steps.entries()) {
          const item = model[which % Math.max(1, model.length)];
          if (what === 'push') {
            const pushed = { key, order, place: -1 };
            heap.push(pushed);
            model.push(pushed);
          } else if (item !== undefined && what === 'move') {
            item.key = key;
            heap.moved(item);
          } else if (item !== undefined && what === 'remove') {
            heap.remove(item);
            model.splice(model.indexOf(item), 1);
            expect(item.place).toBe(-1);
          }
          model.sort((one, other) => one.key - other.key || one.order - other.order);
          expect(heap.size).toBe(model.length);
          expect(heap.first()).toBe(model[0]);
          expect(heap.ascending(5)).toEqual(model.slice(0, 5));
          expect(heap.items().map(({ place }) => place)).toEqual(model.map((_, at) => at));
        }
        expect(heap.ascending(100)).toEqual(model);
      }),
    );
  });
});
