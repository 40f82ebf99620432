import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVariables, moduleBytes, startProgram } from './module.ts';

const variables = createVariables();
const identity = moduleBytes({
  importTakes: [],
  parameters: 1,
  body: [],
  result: variables.add('i32'),
  variables,
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('startProgram', () => {
  it('runs the function of the module', () => {
    expect(startProgram(identity, () => () => 0)?.run(7)).toBe(7);
  });

  it('gives the function that it calls a page of memory', () => {
    let sizeBytes = 0;
    const program = startProgram(identity, (memory) => {
      sizeBytes = memory.byteLength;
      return () => 0;
    });
    expect(sizeBytes).toBe(65_536);
    expect(program?.memory.byteLength).toBe(65_536);
  });

  it('starts nothing where there is no WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(startProgram(identity, () => () => 0)).toBeUndefined();
  });

  it('starts nothing where memory or the module is refused', () => {
    const refuse = class {
      constructor() {
        throw new RangeError('could not allocate memory');
      }
    };
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: object };
    for (const part of ['Memory', 'Module']) {
      vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { [part]: refuse }));
      expect(startProgram(identity, () => () => 0)).toBeUndefined();
    }
    expect(startProgram(Uint8Array.of(1, 2, 3), () => () => 0)).toBeUndefined();
  });
});
