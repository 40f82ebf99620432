import sharp, { type Sharp } from 'sharp';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import { allocateTensorData } from '../../base/tensor/allocate.ts';
import type { Datatype, TypedArray } from '../../base/tensor/datatype.ts';
import type { TensorData } from '../../base/tensor/tensor.ts';
import { convertData } from '../convert-data.ts';
import type { ImagePlan } from './image-plan.ts';
import type { ImageSettings, ImageSize } from './image-settings.ts';

/** Eight bits a sample; one sample a pixel for grey files, else red, green, blue. */
interface Pixels {
  readonly bytes: Uint8Array;
  readonly samples: number;
}

/**
 * A picture (JPEG, PNG, WebP, GIF, TIFF) as the numbers that `plan` wants, in the plan's shape. It is turned
 * upright as its EXIF data say; transparency is dropped.
 * @param where the file's name, for errors
 * @throws NimifyError INVALID_INPUT where the bytes are no picture, or values do not fit the datatype
 */
export async function readImage(
  bytes: Uint8Array,
  plan: ImagePlan,
  datatype: Datatype,
  where: string,
): Promise<TensorData> {
  return toNumbers(await toPixels(bytes, plan.settings, where), plan, datatype, where);
}

async function toPixels(bytes: Uint8Array, settings: ImageSettings, where: string): Promise<Pixels> {
  try {
    const picture = sharp(bytes, { autoOrient: true }).toColourspace('srgb').removeAlpha();
    const { data, info } = await (await resized(picture, bytes, settings))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, samples: info.channels };
  } catch {
    const expected = 'a whole JPEG, PNG, WebP, GIF or TIFF file';
    throw invalidInput(`${where}: this cannot be read as a picture; expected ${expected}`, {
      where,
      expected,
    });
  }
}

/** Shrinking while decoding is off: it is quick, and gives other pixels than training libraries do. */
async function resized(picture: Sharp, bytes: Uint8Array, settings: ImageSettings): Promise<Sharp> {
  const { size, fit, kernel } = settings;
  const options = { kernel, fastShrinkOnLoad: false } as const;
  if (fit === 'stretch') return picture.resize({ ...options, ...size, fit: 'fill' });
  if (fit === 'contain') return picture.resize({ ...options, ...size, fit: 'contain', background: '#000' });
  const { autoOrient: original } = await sharp(bytes).metadata();
  const scaled = cover(original, settings);
  return picture.resize({ ...options, ...scaled, fit: 'fill' }).extract({
    ...size,
    left: Math.floor((scaled.width - size.width) / 2),
    top: Math.floor((scaled.height - size.height) / 2),
  });
}

/** The picture's size after scaling, before the middle is cut out. */
function cover(original: ImageSize, { size, shorterSide }: ImageSettings): ImageSize {
  const factor = Math.max(
    shorterSide === undefined ? 0 : shorterSide / Math.min(original.width, original.height),
    size.width / original.width,
    size.height / original.height,
  );
  return {
    width: Math.max(size.width, Math.round(original.width * factor)),
    height: Math.max(size.height, Math.round(original.height * factor)),
  };
}

/** There are 256 possible values a sample, so each channel's arithmetic is done that often and looked up. */
function toNumbers(pixels: Pixels, plan: ImagePlan, datatype: Datatype, where: string): TensorData {
  const { settings, channels } = plan;
  const count = pixels.bytes.length / pixels.samples;
  const target = allocateTensorData(datatype, count * channels) as TypedArray;
  for (let channel = 0; channel < channels; channel += 1) {
    const table = toTable(settings, channel, datatype, where);
    const sampleAt = toSampler(pixels, settings.color, channel);
    const step = settings.layout === 'nhwc' ? channels : 1;
    let to = settings.layout === 'nhwc' ? channel : channel * count;
    for (let pixel = 0; pixel < count; pixel += 1, to += step) target[to] = table[sampleAt(pixel)]!;
  }
  return target;
}

function toSampler({ bytes, samples }: Pixels, color: ImageSettings['color'], channel: number) {
  if (samples < 3) return (pixel: number) => bytes[pixel * samples]!;
  if (color !== 'grey') {
    const offset = color === 'bgr' ? 2 - channel : channel;
    return (pixel: number) => bytes[pixel * samples + offset]!;
  }
  // Luma of ITU-R BT.601, as imaging libraries make grey of colour.
  return (pixel: number) => {
    const at = pixel * samples;
    return Math.round((299 * bytes[at]! + 587 * bytes[at + 1]! + 114 * bytes[at + 2]!) / 1000);
  };
}

function toTable(settings: ImageSettings, channel: number, datatype: Datatype, where: string): TypedArray {
  const { scale, gamma } = settings;
  const mean = settings.mean[channel] ?? settings.mean[0]!;
  const std = settings.std[channel] ?? settings.std[0]!;
  const isInteger = !datatype.startsWith('FP') && datatype !== 'BF16';
  const values = Float64Array.from({ length: 256 }, (_, sample) => {
    const light = gamma === 'linear' ? toLinear(sample / 255) * 255 : sample;
    const value = (light * scale - mean) / std;
    return isInteger ? Math.round(value) : value;
  });
  return convertData(values, 'FP64', datatype, `${where}: number of the pixel value`) as TypedArray;
}

/** IEC 61966-2-1, the sRGB transfer function backwards. */
function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
