import { expect, it } from 'vitest';
import { proveLibrary } from './self-test.ts';

it('passes here', async () => {
  await proveLibrary();
  await expect(proveLibrary()).resolves.toBeUndefined();
});
