import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ImageHints, ImageSettings, ImageSize } from './image-settings.ts';

/** The texts that stood behind the flags of `nimify predict`. */
export interface ImageFlagTexts {
  readonly layout?: string;
  readonly color?: string;
  readonly size?: string;
  readonly fit?: string;
  readonly scale?: string;
  readonly mean?: string;
  readonly std?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws NimifyError CONFIG_INVALID naming the flag, what it takes and what came */
export function readImageFlags(texts: ImageFlagTexts): ImageHints {
  const settings: Partial<Mutable<ImageSettings>> = {};
  if (texts.layout !== undefined) settings.layout = oneOf('--layout', texts.layout, ['nchw', 'nhwc']);
  if (texts.color !== undefined) {
    const color = texts.color === 'gray' ? 'grey' : texts.color;
    settings.color = oneOf('--color', color, ['rgb', 'bgr', 'grey']);
  }
  if (texts.size !== undefined) settings.size = toSize(texts.size);
  if (texts.fit !== undefined) settings.fit = oneOf('--fit', texts.fit, ['crop', 'stretch', 'contain']);
  if (texts.scale !== undefined) settings.scale = toFactor('--scale', texts.scale);
  if (texts.mean !== undefined) settings.mean = toChannels('--mean', texts.mean);
  if (texts.std !== undefined) {
    settings.std = toChannels('--std', texts.std);
    if (settings.std.includes(0)) throw wrong('--std', 'numbers other than 0', texts.std);
  }
  return { origin: 'flag', settings };
}

function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text.toLowerCase());
  if (found === undefined) throw wrong(flag, `one of ${choices.join(', ')}`, text);
  return found;
}

function toSize(text: string): ImageSize {
  const match = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text.toLowerCase());
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  if (!(width > 0 && height > 0)) throw wrong('--size', 'WIDTHxHEIGHT in pixels, such as 224x224', text);
  return { width, height };
}

/** A number, or a fraction such as `1/255`. */
function toFactor(flag: string, text: string): number {
  const [numerator, denominator, ...rest] = text.split('/').map((part) => toNumber(part));
  const value = (numerator ?? Number.NaN) / (denominator ?? 1);
  if (!Number.isFinite(value) || rest.length > 0) throw wrong(flag, 'a number such as 1, 0.5 or 1/255', text);
  return value;
}

function toChannels(flag: string, text: string): readonly number[] {
  const values = text.split(',').map((part) => toNumber(part));
  if (values.every(Number.isFinite) && (values.length === 1 || values.length === 3)) return values;
  throw wrong(flag, 'one number, or one a channel such as 0.485,0.456,0.406', text);
}

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function wrong(flag: string, expected: string, got: string): NimifyError {
  return new NimifyError('CONFIG_INVALID', `${flag}: expected ${expected}, got '${got}'`, {
    details: { where: flag, expected, got },
  });
}
