import { expect, it } from 'vitest';
import { collectGarbage } from './collect-garbage.ts';

it('collects what nobody holds', () => {
  const lost = new WeakRef(Buffer.allocUnsafeSlow(1024));
  return new Promise<void>((resolve) => {
    // A WeakRef holds what it was made for until the end of the turn.
    setImmediate(() => {
      collectGarbage();
      collectGarbage();
      expect(lost.deref()).toBeUndefined();
      resolve();
    });
  });
});
