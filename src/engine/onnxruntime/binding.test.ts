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
  return () => exports as ReturnType<Load>;
}

class Session {
  loadModel() {}
  run() {}
  dispose() {}
}

describe('loadBinding', () => {
  it('knows the add-on of the version that is installed', () => {
    const binding = loadBinding(runtime);
    expect(typeof binding?.InferenceSession).toBe('function');
  });

  it('takes none of another version', () => {
    const env = { ...runtime.env, versions: { common: '1.30.1', node: '1.30.1' } };
    expect(loadBinding({ env })).toBeUndefined();
  });

  it('readies what it takes', () => {
    let ready = 0;
    const binding = { InferenceSession: Session };
    const initOrt = () => {
      ready += 1;
    };
    expect(loadBinding(runtime, moduleOf({ binding, initOrt }))).toBe(binding);
    expect(ready).toBe(1);
  });

  it.each<[string, Load]>([
    [
      'that is not there',
      () => {
        throw new Error('no such file');
      },
    ],
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
  ])('takes none %s', (_, load) => {
    expect(loadBinding(runtime, load)).toBeUndefined();
  });
});
