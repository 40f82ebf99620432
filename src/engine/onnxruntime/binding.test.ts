import { describe, expect, it } from 'vitest';
import { loadBinding, PlainTensor } from './binding.ts';

class Session {
  loadModel() {}
  run() {}
  dispose() {}
}

describe('loadBinding', () => {
  it('knows the add-on of the version that is installed', () => {
    expect(typeof loadBinding()?.InferenceSession).toBe('function');
  });

  it('takes none of another version', () => {
    const load = () => ({ InferenceSession: Session, initOrtOnce() {} });
    expect(loadBinding(load, () => '1.30.1')).toBeUndefined();
  });

  it('readies what it takes, for tensors of its own', () => {
    const asked: unknown[] = [];
    const binding = {
      InferenceSession: Session,
      initOrtOnce(...args: readonly unknown[]) {
        asked.push(args);
      },
    };
    expect(loadBinding(() => binding)).toBe(binding);
    expect(asked).toEqual([[4, PlainTensor, expect.any(Boolean)]]);
  });

  it.each<[string, () => unknown]>([
    [
      'that is not there',
      () => {
        throw new Error('no such file');
      },
    ],
    ['that holds nothing', () => undefined],
    ['without a session', () => ({ initOrtOnce() {} })],
    ['without a start', () => ({ InferenceSession: Session })],
    ['whose sessions cannot run', () => ({ InferenceSession: class {}, initOrtOnce() {} })],
    [
      'that does not start',
      () => ({
        InferenceSession: Session,
        initOrtOnce() {
          throw new Error('no memory');
        },
      }),
    ],
  ])('takes none %s', (_, load) => {
    expect(loadBinding(load)).toBeUndefined();
  });
});
