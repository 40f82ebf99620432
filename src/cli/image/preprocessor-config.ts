import { invalidInput } from '../../base/errors/nimify-error.ts';
import { isRecord } from '../../base/util/json-value.ts';
import type { ImageHints, ImageSettings, ImageSize } from './image-settings.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** PIL's numbers for resampling filters, which the file carries as `resample`. */
const KERNELS: ReadonlyMap<unknown, ImageSettings['kernel']> = new Map([
  [0, 'nearest'],
  [1, 'lanczos3'],
  [2, 'linear'],
  [3, 'cubic'],
]);

/**
 * The settings in a `preprocessor_config.json`, which image models on Hugging Face carry beside them. Read are
 * do_resize, size, crop_size, do_center_crop, resample, do_rescale, rescale_factor, do_normalize, image_mean,
 * image_std and do_flip_channel_order; steps default to being done, as in the library's image processors.
 * @param path for errors
 * @throws NimifyError INVALID_INPUT where the file is no JSON object or a value has no meaning
 */
export function readPreprocessorConfig(text: string, path: string): ImageHints {
  const config = parseObject(text, path);
  const settings: Partial<Mutable<ImageSettings>> = { color: config.do_flip_channel_order ? 'bgr' : 'rgb' };
  readGeometry(config, settings, path);
  settings.scale =
    config.do_rescale === false ? 1 : toNumber(config.rescale_factor ?? 1 / 255, 'rescale_factor', path);
  const isNormalized = config.do_normalize !== false && config.image_mean !== undefined;
  settings.mean = isNormalized ? toNumbers(config.image_mean, 'image_mean', path) : [0];
  settings.std = isNormalized ? toNumbers(config.image_std ?? 1, 'image_std', path) : [1];
  const kernel = KERNELS.get(config.resample);
  if (kernel !== undefined) settings.kernel = kernel;
  return { origin: 'preprocessor_config.json', settings };
}

function readGeometry(
  config: Readonly<Record<string, unknown>>,
  settings: Partial<Mutable<ImageSettings>>,
  path: string,
): void {
  const size = config.do_resize === false ? undefined : toGeometry(config.size, 'size', path);
  const crop =
    config.do_center_crop === true || (config.do_center_crop === undefined && config.crop_size !== undefined)
      ? toGeometry(config.crop_size, 'crop_size', path)
      : undefined;
  if (crop?.exact !== undefined) {
    settings.size = crop.exact;
    settings.fit = 'crop';
    const shorterSide = size?.shorterSide ?? Math.min(size?.exact?.width ?? 0, size?.exact?.height ?? 0);
    if (shorterSide > 0) settings.shorterSide = shorterSide;
  } else if (size?.exact !== undefined) {
    settings.size = size.exact;
    settings.fit = 'stretch';
  } else if (size?.shorterSide !== undefined) {
    settings.fit = 'crop';
    settings.shorterSide = size.shorterSide;
  }
}

interface Geometry {
  readonly exact?: ImageSize;
  readonly shorterSide?: number;
}

/** `224`, `{"height": 224, "width": 224}`, `{"shortest_edge": 256}`. */
function toGeometry(value: unknown, name: string, path: string): Geometry | undefined {
  if (value === undefined || value === null) return undefined;
  const toPixels = (pixels: unknown): number => {
    if (typeof pixels === 'number' && Number.isInteger(pixels) && pixels > 0 && pixels < 100_000)
      return pixels;
    throw wrong(path, name, 'a number of pixels, {"height", "width"} or {"shortest_edge"}', value);
  };
  if (!isRecord(value)) return { exact: { width: toPixels(value), height: toPixels(value) } };
  if (value.shortest_edge !== undefined) return { shorterSide: toPixels(value.shortest_edge) };
  return { exact: { width: toPixels(value.width), height: toPixels(value.height) } };
}

function toNumber(value: unknown, name: string, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(path, name, 'a number', value);
}

function toNumbers(value: unknown, name: string, path: string): readonly number[] {
  return Array.isArray(value)
    ? value.map((item) => toNumber(item, name, path))
    : [toNumber(value, name, path)];
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw invalidInput(`${path}: expected JSON; ${(thrown as Error).message}`, { where: path });
  }
  if (isRecord(value)) return value;
  throw invalidInput(`${path}: expected a JSON object`, { where: path });
}

function wrong(path: string, name: string, expected: string, value: unknown) {
  const got = JSON.stringify(value);
  return invalidInput(`${path}: ${name}: expected ${expected}, got ${got}`, { where: name, expected, got });
}
