/**
 * Buffers have owners. Whoever keeps a view over a buffer beyond the call that handed it over retains the
 * owner and releases it when done; the memory goes back to where it came from on the last release. A host may
 * transfer (and so detach) a buffer only while `holders` is 1.
 */
export interface BufferOwner {
  readonly holders: number;
  retain(): void;
  release(): void;
}

/** An owner with one holder, its maker. `onFree` runs once, on the last release. */
export function createOwner(onFree?: () => void): BufferOwner {
  return new CountedOwner(onFree);
}

/** A class: every request and every answer has an owner, and this one is a single object without closures. */
class CountedOwner implements BufferOwner {
  holders = 1;
  readonly #onFree: (() => void) | undefined;

  constructor(onFree: (() => void) | undefined) {
    this.#onFree = onFree;
  }

  retain(): void {
    if (this.holders === 0) throw new Error('buffer retained after its last release');
    this.holders += 1;
  }

  release(): void {
    if (this.holders === 0) throw new Error('buffer released more often than retained');
    this.holders -= 1;
    if (this.holders === 0) this.#onFree?.();
  }
}

/** Buffers that belong to somebody outside, who keeps them: never transferred, never freed here. */
export const BORROWED: BufferOwner = { holders: 2, retain() {}, release() {} };
