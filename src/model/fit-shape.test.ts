import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { describeShape, fitShape, isShapeAccepted } from './fit-shape.ts';
import type { TensorSpec } from './signature.ts';

function spec(shape: readonly number[], dimensionNames: readonly (string | undefined)[] = []): TensorSpec {
  return { name: 'x', datatype: 'FP32', shape, dimensionNames };
}

function fitted(wanted: readonly number[], shape: readonly number[]): readonly number[] {
  return fitShape(
    spec(wanted),
    shape,
    shape.reduce((a, b) => a * b, 1),
  );
}

describe('fitShape', () => {
  it.each([
    ['as it came', [-1, 4], [3, 4], [3, 4]],
    ['no rows, as it came', [-1, 4], [0, 4], [0, 4]],
    ['a left-out last 1', [-1, 1], [5], [5, 1]],
    ['a left-out middle 1', [-1, 1, 28, 28], [7, 28, 28], [7, 1, 28, 28]],
    ['two left-out leading 1s', [1, 1, 28, 28], [28, 28], [1, 1, 28, 28]],
    ['axes left out at both ends', [-1, 28, 28, 1], [28, 28], [1, 28, 28, 1]],
    ['a row without the row axis', [-1, 3, 8, 8], [3, 8, 8], [1, 3, 8, 8]],
    ['a row of unknown length', [-1, -1], [5], [1, 5]],
    ['a lone value for a column', [-1, 1], [], [1, 1]],
    ['a lone value for a list', [-1], [], [1]],
    ['a list of one for a scalar', [], [1], []],
    ['a lone value for a matrix of any size', [-1, -1], [], [1, 1]],
    ['flat values of a fixed shape', [2, 3], [6], [2, 3]],
    ['flat values of one row', [-1, 2, 3], [6], [1, 2, 3]],
  ])('%s', (_, wanted, shape, expected) => {
    expect(fitted(wanted, shape)).toEqual(expected);
  });

  it.each([
    ['the wrong number of columns', [-1, 4], [3, 5]],
    ['flat values of two rows', [-1, 4], [8]],
    ['flat values with two dynamic axes', [-1, 2, -1], [6]],
    ['too few axes with nothing to leave out', [2, 3, 4], [3, 4]],
    ['too many axes', [-1], [1, 4]],
    ['an empty list for rows of four', [-1, 4], [0]],
  ])('refuses %s', (_, wanted, shape) => {
    expect(() => fitted(wanted, shape)).toThrow(NimifyError);
  });

  it('says where, what was expected and what came', () => {
    const wanted = spec([-1, 4], ['N', undefined]);
    let thrown: unknown;
    try {
      fitShape(wanted, [3, 5], 15, 'instances[0].x');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'INVALID_INPUT',
      details: { where: 'instances[0].x', expected: '[N,4]', got: '[3,5]' },
    });
  });

  it('does not guess where two shapes fit', () => {
    expect(() => fitted([-1, -1, 1], [3, 1])).toThrow(/could mean \[3,1,1\] or \[1,3,1\]/);
  });

  it('takes any shape where the graph names none', () => {
    expect(fitShape({ ...spec([-1]), anyRank: true }, [2, 3], 6)).toEqual([2, 3]);
    expect(describeShape({ ...spec([-1]), anyRank: true })).toBe('[...]');
  });

  it('stays quick for a long shape of ones', () => {
    const wanted = [...Array.from({ length: 60 }, () => 1), 2];
    const shape = [...Array.from({ length: 30 }, () => 1), 2];
    expect(fitted(wanted, shape)).toEqual(wanted);
  });
});

describe('isShapeAccepted', () => {
  it('takes any number where the dimension is dynamic, and only the number where it is fixed', () => {
    expect(isShapeAccepted([-1, 4], [9, 4])).toBe(true);
    expect(isShapeAccepted([-1, 4], [9, 5])).toBe(false);
    expect(isShapeAccepted([], [])).toBe(true);
    expect(isShapeAccepted([-1], [])).toBe(false);
  });
});

describe('describeShape', () => {
  it('shows symbolic names, and ? where there is none', () => {
    expect(describeShape(spec([-1, -1, 3], ['batch', undefined, undefined]))).toBe('[batch,?,3]');
  });
});
