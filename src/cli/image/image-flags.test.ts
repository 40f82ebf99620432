import { describe, expect, it } from 'vitest';
import { readImageFlags } from './image-flags.ts';

describe('readImageFlags', () => {
  it('reads every flag', () => {
    expect(
      readImageFlags({
        layout: 'NHWC',
        color: 'gray',
        size: '640x480',
        fit: 'contain',
        scale: '1/255',
        mean: '0.485,0.456,0.406',
        std: '0.5',
      }),
    ).toEqual({
      origin: 'flag',
      settings: {
        layout: 'nhwc',
        color: 'grey',
        size: { width: 640, height: 480 },
        fit: 'contain',
        scale: 1 / 255,
        mean: [0.485, 0.456, 0.406],
        std: [0.5],
      },
    });
    expect(readImageFlags({ size: '224' }).settings.size).toEqual({ width: 224, height: 224 });
    expect(readImageFlags({}).settings).toEqual({});
  });

  it.each([
    [{ layout: 'chwn' }, /--layout: expected one of nchw, nhwc, got 'chwn'/],
    [{ color: 'cmyk' }, /--color/],
    [{ size: '0x5' }, /--size/],
    [{ size: '1x2x3' }, /--size/],
    [{ fit: 'squash' }, /--fit/],
    [{ scale: '1/0' }, /--scale/],
    [{ scale: '' }, /--scale/],
    [{ mean: '1,2' }, /--mean/],
    [{ mean: '1,,2' }, /--mean/],
    [{ std: '0' }, /--std: expected numbers other than 0/],
  ])('refuses %j', (texts, message) => {
    expect(() => readImageFlags(texts)).toThrow(message);
  });
});
