import { invalidInput, type NimifyError } from '../../base/errors/nimify-error.ts';
import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import type { ImageSettings, ImageSize } from './image-settings.ts';

/** What an axis of an input holds: rows, channels, height, width, or all pixels in one. */
export type ImageAxis = 'N' | 'C' | 'H' | 'W' | 'pixels';

/** What an input's dimensions say about the pictures it takes. */
export interface ImageAxes {
  readonly axes: readonly ImageAxis[];
  /** `nchw` also where there is no axis of channels. */
  readonly layout: ImageSettings['layout'];
  /** False: the dimensions are open, and the layout is a guess. */
  readonly isLayoutKnown: boolean;
  /** Undefined where the dimension is open. */
  readonly channels: 1 | 3 | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/**
 * Reads the axes off the dimensions: channels are 1 or 3 and stand before height and width, or after; a grey
 * picture may have no such axis, and may be flat.
 * @param layout what the user said, if anything
 * @throws NimifyError INVALID_INPUT where the input cannot be a picture
 */
export function readImageAxes(spec: TensorSpec, layout: ImageSettings['layout'] | undefined): ImageAxes {
  if (spec.datatype === 'BYTES' || spec.datatype === 'BOOL') throw noImage(spec, `it holds ${spec.datatype}`);
  const shape = spec.anyRank === true ? [-1, -1, -1, -1] : spec.shape;
  const axes = toAxes(spec, shape, layout);
  const dimensionOf = (axis: ImageAxis) => {
    const dimension = shape[axes.indexOf(axis)];
    return dimension === -1 ? undefined : dimension;
  };
  const channels = axes.includes('C') ? dimensionOf('C') : 1;
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw noImage(spec, `it has ${channels} channels where a picture has 1 or 3`);
  }
  const flat = axes.includes('pixels') ? sideOfSquare(spec, dimensionOf('pixels')) : undefined;
  return {
    axes,
    layout: axes.indexOf('C') > axes.indexOf('H') ? 'nhwc' : 'nchw',
    isLayoutKnown: layout !== undefined || channels !== undefined,
    channels,
    width: flat ?? dimensionOf('W'),
    height: flat ?? dimensionOf('H'),
  };
}

/** The tensor's shape for one picture. */
export function shapeOfImage(
  axes: readonly ImageAxis[],
  channels: number,
  size: ImageSize,
): readonly number[] {
  const dimensions: Readonly<Record<ImageAxis, number>> = {
    N: 1,
    C: channels,
    H: size.height,
    W: size.width,
    pixels: size.width * size.height * channels,
  };
  return axes.map((axis) => dimensions[axis]);
}

function toAxes(
  spec: TensorSpec,
  shape: readonly number[],
  layout: ImageSettings['layout'] | undefined,
): readonly ImageAxis[] {
  const rank = shape.length;
  const mayBeChannels = (axis: number) => shape[axis] === 1 || shape[axis] === 3;
  const isLast =
    layout === undefined ? mayBeChannels(rank - 1) && !mayBeChannels(rank - 3) : layout === 'nhwc';
  if (rank === 4) return isLast ? ['N', 'H', 'W', 'C'] : ['N', 'C', 'H', 'W'];
  if (rank === 3) {
    if (layout === undefined && shape[0] === -1 && !isLast) return ['N', 'H', 'W'];
    return isLast ? ['H', 'W', 'C'] : ['C', 'H', 'W'];
  }
  if (rank === 2) return shape[0] === -1 || shape[0] === 1 ? ['N', 'pixels'] : ['H', 'W'];
  if (rank === 1) return ['pixels'];
  throw noImage(spec, `it has ${rank} dimensions`);
}

function sideOfSquare(spec: TensorSpec, count: number | undefined): number {
  const side = Math.sqrt(count ?? Number.NaN);
  if (Number.isInteger(side)) return side;
  throw noImage(spec, count === undefined ? 'its number of pixels is open' : `${count} pixels are no square`);
}

function noImage(spec: TensorSpec, reason: string): NimifyError {
  const expected = `${spec.datatype} ${describeShape(spec)}`;
  const where = `inputs.${spec.name}`;
  return invalidInput(
    `${where}: a picture cannot become ${expected}, since ${reason}; prepare it as a .npy file instead`,
    { where, expected, got: 'a picture' },
  );
}
