import { invalidInput, type NimifyError } from '../base/errors/nimify-error.ts';
import type { TensorSpec } from './signature.ts';

/**
 * The shape in which values that a person wrote are given to an input. People leave out axes that hold nothing
 * but a 1; this puts them back, and only where there is a single way to do it:
 *
 * | the model wants | came | given |
 * |---|---|---|
 * | [N,4] | [3,4] | [3,4], as it came |
 * | [N,1] | [5] | [5,1]: axes that the model fixes at 1 may be left out |
 * | [N,3,8,8] | [3,8,8] | [1,3,8,8]: so may the first axis, where it is dynamic or 1 |
 * | [N], [N,1], [] | a lone value, however nested | [1], [1,1], []: nothing else has one element |
 * | [2,3], [N,2,3] | [6] | [2,3], [1,2,3]: flat values of a fully fixed shape, or of one row of it |
 *
 * Protocols whose requests state a shape (Open Inference Protocol) do not pass through here.
 *
 * @param shape of the values as they were nested; its product is `count`
 * @param where path of the input in the request, for the error
 * @throws NimifyError INVALID_INPUT where nothing fits or more than one shape does
 */
export function fitShape(
  spec: TensorSpec,
  shape: readonly number[],
  count: number,
  where = `inputs.${spec.name}`,
): readonly number[] {
  if (spec.anyRank === true || isShapeAccepted(spec.shape, shape)) return shape;
  if (count === 1 && spec.shape.every((dimension) => dimension === 1 || dimension === -1)) {
    return spec.shape.map(() => 1);
  }
  const placed = placements(spec.shape, shape);
  if (placed.length === 1) return placed[0]!;
  if (placed.length > 1) throw ambiguous(spec, shape, placed, where);
  const unflattened = shape.length === 1 ? unflatten(spec.shape, count) : undefined;
  if (unflattened !== undefined) return unflattened;
  throw misfit(spec, shape, where);
}

/** Does a concrete shape satisfy one with -1 for dynamic dimensions? Names shared between inputs are not looked at. */
export function isShapeAccepted(wanted: readonly number[], shape: readonly number[]): boolean {
  return (
    wanted.length === shape.length &&
    wanted.every((dimension, axis) => dimension === -1 || dimension === shape[axis])
  );
}

/** `[N,3,224,224]`: a signature's shape as people read it, `?` for a dynamic dimension without a name. */
export function describeShape(spec: Pick<TensorSpec, 'shape' | 'dimensionNames' | 'anyRank'>): string {
  if (spec.anyRank === true) return '[...]';
  const dimensions = spec.shape.map((dimension, axis) =>
    dimension === -1 ? (spec.dimensionNames[axis] ?? '?') : String(dimension),
  );
  return `[${dimensions.join(',')}]`;
}

/**
 * The distinct shapes that come of putting left-out axes of size 1 back into `shape`; two at most, since two
 * already mean that nobody can tell. Every pair of positions is looked at once, so long shapes cost little.
 */
function placements(wanted: readonly number[], shape: readonly number[]): readonly (readonly number[])[] {
  const known = new Map<number, readonly (readonly number[])[]>();

  function from(axis: number, at: number): readonly (readonly number[])[] {
    if (axis === wanted.length) return at === shape.length ? [[]] : [];
    if (wanted.length - axis < shape.length - at) return [];
    const key = axis * (shape.length + 1) + at;
    const before = known.get(key);
    if (before !== undefined) return before;
    const dimension = wanted[axis]!;
    const found: (readonly number[])[] = [];
    const given = shape[at];
    if (given !== undefined && (dimension === -1 || dimension === given)) {
      for (const rest of from(axis + 1, at + 1)) found.push([given, ...rest]);
    }
    if (dimension === 1 || (dimension === -1 && axis === 0)) {
      for (const rest of from(axis + 1, at)) found.push([1, ...rest]);
    }
    const distinct = new Map(found.map((candidate) => [candidate.join(), candidate]));
    const result = [...distinct.values()].slice(0, 2);
    known.set(key, result);
    return result;
  }

  return from(0, 0);
}

function unflatten(wanted: readonly number[], count: number): readonly number[] | undefined {
  const oneRow = wanted[0] === -1 ? [1, ...wanted.slice(1)] : wanted;
  const isFixed = !oneRow.includes(-1);
  return isFixed && oneRow.reduce((product, dimension) => product * dimension, 1) === count
    ? oneRow
    : undefined;
}

function misfit(spec: TensorSpec, shape: readonly number[], where: string): NimifyError {
  const expected = describeShape(spec);
  const got = `[${shape.join(',')}]`;
  return invalidInput(
    `${where}: the model takes ${expected}, the values have the shape ${got}; nest them as ${expected}`,
    { where, expected, got },
  );
}

function ambiguous(
  spec: TensorSpec,
  shape: readonly number[],
  candidates: readonly (readonly number[])[],
  where: string,
): NimifyError {
  const expected = describeShape(spec);
  const got = `[${shape.join(',')}]`;
  const choices = candidates.map((candidate) => `[${candidate.join(',')}]`).join(' or ');
  return invalidInput(
    `${where}: the model takes ${expected}, and values of the shape ${got} could mean ${choices}; nest them fully`,
    { where, expected, got },
  );
}
