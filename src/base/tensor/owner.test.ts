import { describe, expect, it } from 'vitest';
import { BORROWED, createOwner } from './owner.ts';

describe('createOwner', () => {
  it('frees once, on the last release', () => {
    let freed = 0;
    const owner = createOwner(() => {
      freed += 1;
    });
    owner.retain();
    expect(owner.holders).toBe(2);
    owner.release();
    expect({ freed, holders: owner.holders }).toEqual({ freed: 0, holders: 1 });
    owner.release();
    expect({ freed, holders: owner.holders }).toEqual({ freed: 1, holders: 0 });
  });

  it('refuses what comes after the last release: somebody else may have the memory by then', () => {
    let freed = 0;
    const owner = createOwner(() => {
      freed += 1;
    });
    owner.release();
    expect(() => owner.release()).toThrow('released more often than retained');
    expect(() => owner.retain()).toThrow('retained after its last release');
    expect({ freed, holders: owner.holders }).toEqual({ freed: 1, holders: 0 });
  });

  it('needs nobody to tell', () => {
    expect(() => createOwner().release()).not.toThrow();
  });
});

describe('BORROWED', () => {
  it('is never the only holder, so nobody transfers its buffers', () => {
    BORROWED.release();
    BORROWED.release();
    expect(BORROWED.holders).toBeGreaterThan(1);
  });
});
