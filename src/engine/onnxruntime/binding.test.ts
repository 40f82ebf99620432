import { beforeAll, describe, expect, it } from 'vitest';
import { loadBinding } from './binding.ts';
import { loadRuntime, type Runtime } from './runtime.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await loadRuntime();
});

type Load = NonNullable<Parameters<typeof loadBinding>[1]>;

/** A module that has these exports, whatever they are. */
function moduleOf(exports: unknown): Load {
  return async () => ({ default: exports }) as Awaited<ReturnType<Load>>;
}

class Session {
  loadModel() {}
  run() {}
  dispose() {}
}

describe('loadBinding', () => {
  it('knows the add-on of the version that is installed', async () => {
    const binding = await loadBinding(runtime);
    expect(typeof binding?.InferenceSession).toBe('function');
  });

  it('takes none of another version', async () => {
    const env = { ...runtime.env, versions: { common: '1.30.1', node: '1.30.1' } };
    expect(await loadBinding({ env })).toBeUndefined();
  });

  it('readies what it takes', async () => {
    let ready = 0;
    const binding = { InferenceSession: Session };
    const initOrt = () => {
      ready += 1;
    };
    expect(await loadBinding(runtime, moduleOf({ binding, initOrt }))).toBe(binding);
    expect(ready).toBe(1);
  });

  it.each<[string, Load]>([
    ['that is not there', () => Promise.reject(new Error('no such file'))],
    ['that holds nothing', moduleOf(undefined)],
    ['without a session', moduleOf({ binding: {}, initOrt() {} })],
    ['without a start', moduleOf({ binding: { InferenceSession: Session } })],
    ['whose sessions cannot run', moduleOf({ binding: { InferenceSession: class {} }, initOrt() {} })],
    [
      'that does not start',
      moduleOf({
        binding: { InferenceSession: Session },
        initOrt() {
          throw new Error('no memory');
        },
      }),
    ],
  ])('takes none %s', async (_, load) => {
    expect(await loadBinding(runtime, load)).toBeUndefined();
  });
});
