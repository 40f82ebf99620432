import { describe, expect, it } from 'vitest';
import { readOnnxImageMetadata } from './onnx-image-metadata.ts';

describe('readOnnxImageMetadata', () => {
  it.each([
    ['Bgr8', 'bgr'],
    ['Rgb8', 'rgb'],
    ['Gray8', 'grey'],
    ['Bgra8', 'bgr'],
  ])('reads the pixel format %s', (format, color) => {
    expect(readOnnxImageMetadata({ 'Image.BitmapPixelFormat': format }).settings).toEqual({ color });
  });

  it.each([
    ['NominalRange_0_255', 0, 255],
    ['Normalized_0_1', 0, 1],
    ['Normalized_1_1', -1, 1],
    ['NominalRange_16_235', 16, 235],
  ])('brings black and white to the ends of %s', (range, black, white) => {
    const {
      scale = 0,
      mean = [],
      std = [],
    } = readOnnxImageMetadata({ 'Image.NominalPixelRange': range }).settings;
    const numberOf = (sample: number) => (sample * scale - mean[0]!) / std[0]!;
    expect(numberOf(0)).toBeCloseTo(black, 9);
    expect(numberOf(255)).toBeCloseTo(white, 9);
  });

  it('reads gamma, and leaves what it does not know alone', () => {
    expect(readOnnxImageMetadata({ 'Image.ColorSpaceGamma': 'Linear' }).settings).toEqual({
      gamma: 'linear',
    });
    const unknown = { 'Image.BitmapPixelFormat': 'Yuv', 'Image.NominalPixelRange': 'x', other: 'y' };
    expect(readOnnxImageMetadata(unknown).settings).toEqual({});
  });
});
