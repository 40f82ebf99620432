import { describe, expect, it } from 'vitest';
import { readPreprocessorConfig } from './preprocessor-config.ts';

function read(config: unknown) {
  return readPreprocessorConfig(JSON.stringify(config), 'preprocessor_config.json').settings;
}

describe('readPreprocessorConfig', () => {
  it('reads a vision transformer: both sides fixed, proportions ignored', () => {
    const vit = {
      do_normalize: true,
      do_resize: true,
      do_rescale: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      rescale_factor: 0.00392156862745098,
      resample: 2,
      size: { height: 224, width: 224 },
    };
    expect(read(vit)).toEqual({
      color: 'rgb',
      size: { width: 224, height: 224 },
      fit: 'stretch',
      kernel: 'linear',
      scale: 0.00392156862745098,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
  });

  it('reads a convolutional net: shorter side first, then the middle', () => {
    const resnet = {
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      do_normalize: true,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
      resample: 3,
      size: { shortest_edge: 256 },
    };
    expect(read(resnet)).toMatchObject({
      size: { width: 224, height: 224 },
      fit: 'crop',
      shorterSide: 256,
      kernel: 'cubic',
      scale: 1 / 255,
    });
  });

  it('leaves steps out that are switched off', () => {
    const off = { do_resize: false, size: 99, do_rescale: false, do_normalize: false, image_mean: [1, 1, 1] };
    expect(read(off)).toEqual({ color: 'rgb', scale: 1, mean: [0], std: [1] });
  });

  it('reads old files, whose sizes are plain numbers, and a flipped channel order', () => {
    expect(
      read({ size: 256, crop_size: 224, do_center_crop: true, do_flip_channel_order: true }),
    ).toMatchObject({
      color: 'bgr',
      size: { width: 224, height: 224 },
      shorterSide: 256,
    });
  });

  it.each([
    ['not JSON', '{', /expected JSON/],
    ['a list', '[]', /expected a JSON object/],
    ['a size of words', '{"size":"big"}', /size: expected a number of pixels/],
    ['half a size', '{"size":{"height":3}}', /size: expected/],
    ['a factor of words', '{"rescale_factor":"x"}', /rescale_factor: expected a number/],
    ['a mean of words', '{"image_mean":["x"]}', /image_mean: expected a number/],
  ])('refuses %s', (_, text, message) => {
    expect(() => readPreprocessorConfig(text, 'preprocessor_config.json')).toThrow(message);
  });
});
