import type { ImageHints, ImageSettings } from './image-settings.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The image properties that a model's metadata may carry (onnx/docs/MetadataProps.md; Windows ML reads the
 * same): pixel format, gamma and nominal range. Values that have no meaning here are left alone.
 */
export function readOnnxImageMetadata(metadata: Readonly<Record<string, string>>): ImageHints {
  const settings: Partial<Mutable<ImageSettings>> = {};
  const format = metadata['Image.BitmapPixelFormat']?.toLowerCase();
  if (format?.startsWith('gray')) settings.color = 'grey';
  else if (format?.startsWith('rgb')) settings.color = 'rgb';
  else if (format?.startsWith('bgr')) settings.color = 'bgr';

  const gamma = metadata['Image.ColorSpaceGamma']?.toLowerCase();
  if (gamma === 'linear' || gamma === 'srgb') settings.gamma = gamma;

  switch (metadata['Image.NominalPixelRange']) {
    case 'NominalRange_0_255':
      Object.assign(settings, { scale: 1, mean: [0], std: [1] });
      break;
    case 'Normalized_0_1':
      Object.assign(settings, { scale: 1 / 255, mean: [0], std: [1] });
      break;
    case 'Normalized_1_1':
      Object.assign(settings, { scale: 1 / 255, mean: [0.5], std: [0.5] });
      break;
    case 'NominalRange_16_235':
      // 0..255 pressed into the range of television signals: 16 + v * 219 / 255.
      Object.assign(settings, { scale: 219 / 255, mean: [-16], std: [1] });
      break;
  }
  return { origin: 'model metadata', settings };
}
