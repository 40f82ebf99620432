import { invalidInput } from '../../base/errors/nimify-error.ts';
import { describeShape } from '../../model/fit-shape.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { type ImageAxes, readImageAxes, shapeOfImage } from './image-axes.ts';
import type { ImageHints, ImageSettings, ImageSize } from './image-settings.ts';

export interface ImagePlan {
  readonly settings: ImageSettings;
  readonly channels: 1 | 3;
  /** Of the tensor that one picture becomes. */
  readonly shape: readonly number[];
  /** Each setting, its value and where it comes from, for people; what was assumed names the flag to change it. */
  readonly notes: readonly string[];
}

/** Networks on ImageNet were trained on this many pixels more often than on any other number. */
const USUAL_SIZE: ImageSize = { width: 224, height: 224 };

const FROM_SIGNATURE = 'signature';

/**
 * Decides how a picture is brought into an input's shape. The signature is always right; then earlier hints win
 * over later ones; what neither tells is assumed, and noted.
 * @throws NimifyError INVALID_INPUT where the input cannot be a picture, or a flag contradicts its shape
 */
export function planImage(spec: TensorSpec, hints: readonly ImageHints[]): ImagePlan {
  const choices = createChoices(hints);
  const axes = readImageAxes(spec, choices.find('layout')?.value);
  if (axes.axes.includes('C')) noteLayout(axes, choices);
  const color = pickColor(axes, choices);
  const channels = color === 'grey' ? 1 : 3;
  const size = pickSize(spec, axes, choices);
  const fit = choices.pick('fit', 'crop');
  const shorterSide = pickShorterSide(fit, size, choices);
  const isInteger = !spec.datatype.startsWith('FP') && spec.datatype !== 'BF16';
  const settings: ImageSettings = {
    layout: axes.layout,
    color,
    size,
    fit,
    ...(shorterSide === undefined ? {} : { shorterSide }),
    kernel: choices.find('kernel')?.value ?? 'linear',
    gamma: choices.noted('gamma') ?? 'srgb',
    scale: choices.pick('scale', isInteger ? 1 : 1 / 255),
    mean: perChannel('mean', choices.pick('mean', [0]), channels),
    std: perChannel('std', choices.pick('std', [1]), channels),
  };
  return { settings, channels, shape: shapeOfImage(axes.axes, channels, size), notes: choices.notes };
}

type Key = keyof ImageSettings;

interface Found<T> {
  readonly value: T;
  readonly origin: string;
}

interface Choices {
  readonly notes: readonly string[];
  note(name: string, value: string, origin: string): void;
  find<K extends Key>(key: K): Found<NonNullable<ImageSettings[K]>> | undefined;
  /** What a hint says, noted; undefined where none does. */
  noted<K extends Key>(key: K): ImageSettings[K] | undefined;
  /** What a hint says, or what is assumed; noted. */
  pick<K extends Key>(key: K, assumed: ImageSettings[K]): ImageSettings[K];
}

function createChoices(hints: readonly ImageHints[]): Choices {
  const notes: string[] = [];
  const choices: Choices = {
    notes,
    note(name, value, origin) {
      notes.push(`${name} ${value} (${origin})`);
    },
    find<K extends Key>(key: K) {
      for (const { settings, origin } of hints) {
        const value = settings[key];
        if (value !== undefined && value !== null) return { value, origin };
      }
      return undefined;
    },
    noted(key) {
      const found = choices.find(key);
      if (found !== undefined) choices.note(key, describeValue(found.value), found.origin);
      return found?.value;
    },
    pick(key, assumed) {
      const found = choices.find(key);
      const value = found === undefined ? assumed : found.value;
      choices.note(key, describeValue(value), found?.origin ?? assumedBy(key));
      return value;
    },
  };
  return choices;
}

function noteLayout({ layout, isLayoutKnown }: ImageAxes, choices: Choices): void {
  const origin = choices.find('layout')?.origin ?? (isLayoutKnown ? FROM_SIGNATURE : assumedBy('layout'));
  choices.note('layout', layout, origin);
}

function pickColor({ channels }: ImageAxes, choices: Choices): ImageSettings['color'] {
  if (channels === 1) {
    choices.note('color', 'grey', FROM_SIGNATURE);
    return 'grey';
  }
  const color = choices.pick('color', 'rgb');
  if (channels === 3 && color === 'grey') {
    const details = { where: '--color', expected: 'rgb or bgr', got: 'grey' };
    throw invalidInput('--color grey: the model takes 3 channels; use rgb or bgr', details);
  }
  return color;
}

function pickSize(spec: TensorSpec, axes: ImageAxes, choices: Choices): ImageSize {
  const found = choices.find('size');
  const size = {
    width: axes.width ?? found?.value.width ?? axes.height ?? USUAL_SIZE.width,
    height: axes.height ?? found?.value.height ?? axes.width ?? USUAL_SIZE.height,
  };
  const text = describeSize(size);
  if (found?.origin === 'flag' && describeSize(found.value) !== text) {
    const got = describeSize(found.value);
    throw invalidInput(`--size ${got}: the model takes ${describeShape(spec)}; use ${text}, or no --size`, {
      where: '--size',
      expected: text,
      got,
    });
  }
  const isFixed = axes.width !== undefined && axes.height !== undefined;
  choices.note('size', text, isFixed ? FROM_SIGNATURE : (found?.origin ?? assumedBy('size')));
  return size;
}

/** Only together with the hint that asks for the crop, and only where there is something left to cut. */
function pickShorterSide(fit: ImageSettings['fit'], size: ImageSize, choices: Choices): number | undefined {
  const found = choices.find('shorterSide');
  if (fit !== 'crop' || found === undefined || found.origin !== choices.find('fit')?.origin) return undefined;
  if (found.value < Math.min(size.width, size.height)) return undefined;
  choices.note('after scaling the shorter side to', String(found.value), found.origin);
  return found.value;
}

/** @throws NimifyError INVALID_INPUT */
function perChannel(name: 'mean' | 'std', values: readonly number[], channels: number): readonly number[] {
  if (values.length === 1 || values.length === channels) return values;
  throw invalidInput(
    `${name}: ${values.length} numbers for a picture of ${channels} channels; give one, or one a channel (--${name})`,
    { where: `--${name}`, expected: channels, got: values.length },
  );
}

function assumedBy(key: Key): string {
  return `assumed; --${key} changes it`;
}

function describeSize({ width, height }: ImageSize): string {
  return `${width}x${height}`;
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'number' && value !== 0 && Math.abs(1 / value - 255) < 1e-9) return '1/255';
  return String(value);
}
