import { describe, expect, it } from 'vitest';
import { compositeType, tensorType, toValueInfo, UNKNOWN_TYPE } from './raw-model.ts';

describe('toValueInfo', () => {
  it('tells sizes, names and unknown dimensions apart', () => {
    const type = tensorType('tensor', 1, ['batch', 0, 3, -1, undefined, '']);
    expect(toValueInfo({ name: 'x', type }, true)).toEqual({
      name: 'x',
      kind: 'tensor',
      type: 'float32',
      datatype: 'FP32',
      shape: [-1, 0, 3, -1, -1, -1],
      dimensionNames: ['batch', undefined, undefined, undefined, undefined, undefined],
      optional: true,
    });
  });

  it.each([
    ['a sparse tensor', tensorType('sparse_tensor', 1, [2]), 'sparse(float32)', [2]],
    ['a sequence', compositeType('sequence', ['float32']), 'seq(float32)', undefined],
    ['a map', compositeType('map', ['int64', 'float32']), 'map(int64,float32)', undefined],
    ['what is not known', UNKNOWN_TYPE, 'unknown', undefined],
  ])('gives no datatype to %s', (_, type, text, shape) => {
    const info = toValueInfo({ name: 'x', type }, false);
    expect(info).toMatchObject({ kind: type.kind, type: text, datatype: undefined, shape, optional: false });
    expect(info.dimensionNames).toEqual(shape === undefined ? [] : [undefined]);
  });

  it('gives no datatype to types that no request can carry', () => {
    expect(toValueInfo({ name: 'x', type: tensorType('tensor', 22, []) }, false)).toMatchObject({
      type: 'int4',
      datatype: undefined,
      shape: [],
      dimensionNames: [],
    });
  });
});
