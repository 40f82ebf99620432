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
  let holders = 1;
  return {
    get holders() {
      return holders;
    },
    retain() {
      if (holders === 0) throw new Error('buffer retained after its last release');
      holders += 1;
    },
    release() {
      if (holders === 0) throw new Error('buffer released more often than retained');
      holders -= 1;
      if (holders === 0) onFree?.();
    },
  };
}

/** Buffers that belong to somebody outside, who keeps them: never transferred, never freed here. */
export const BORROWED: BufferOwner = { holders: 2, retain() {}, release() {} };
