import { describe, expect, it } from 'vitest';
import type { Datatype } from '../../base/tensor/datatype.ts';
import { planImage } from './image-plan.ts';
import type { ImageSettings } from './image-settings.ts';

function plan(shape: readonly number[], settings: Partial<ImageSettings> = {}, datatype: Datatype = 'FP32') {
  const spec = { name: 'x', datatype, shape, dimensionNames: [] };
  return planImage(spec, [{ origin: 'flag', settings }]);
}

describe('planImage', () => {
  it.each([
    ['channels first', [1, 3, 224, 224], 'nchw', 3, [1, 3, 224, 224]],
    ['channels last', [-1, 224, 192, 3], 'nhwc', 3, [1, 224, 192, 3]],
    ['grey, channels first', [1, 1, 28, 28], 'nchw', 1, [1, 1, 28, 28]],
    ['grey, channels last', [-1, 28, 28, 1], 'nhwc', 1, [1, 28, 28, 1]],
    ['no rows, channels first', [3, 64, 64], 'nchw', 3, [3, 64, 64]],
    ['no rows, channels last', [64, 64, 3], 'nhwc', 3, [64, 64, 3]],
    ['rows of grey without channels', [-1, 8, 8], 'nchw', 1, [1, 8, 8]],
    ['flat grey', [-1, 64], 'nchw', 1, [1, 64]],
    ['one grey picture', [8, 8], 'nchw', 1, [8, 8]],
    ['open size', [-1, 3, -1, -1], 'nchw', 3, [1, 3, 224, 224]],
    ['all open', [-1, -1, -1, -1], 'nchw', 3, [1, 3, 224, 224]],
  ] as const)('reads %s off the signature', (_, shape, layout, channels, expected) => {
    const found = plan(shape);
    expect(found.settings.layout).toBe(layout);
    expect(found.channels).toBe(channels);
    expect(found.shape).toEqual(expected);
  });

  it('names the flag for everything that it assumed, and says what it knows from where', () => {
    const notes = plan([1, 3, 224, 224], { scale: 1 }).notes;
    expect(notes).toContain('layout nchw (signature)');
    expect(notes).toContain('size 224x224 (signature)');
    expect(notes).toContain('scale 1 (flag)');
    expect(notes).toContain('color rgb (assumed; --color changes it)');
    expect(notes).toContain('fit crop (assumed; --fit changes it)');
    expect(plan([-1, -1, -1, -1]).notes).toContain('layout nchw (assumed; --layout changes it)');
  });

  it('takes pixels for shares of one where the model takes floats, and as they are where it takes integers', () => {
    expect(plan([1, 3, 8, 8]).settings.scale).toBe(1 / 255);
    expect(plan([1, 3, 8, 8], {}, 'UINT8').settings.scale).toBe(1);
  });

  it('lets flags win over files, and files over the assumption', () => {
    const spec = { name: 'x', datatype: 'FP32', shape: [1, 3, 8, 8], dimensionNames: [] } as const;
    const { settings, notes } = planImage(spec, [
      { origin: 'flag', settings: { color: 'bgr' } },
      { origin: 'file', settings: { color: 'rgb', mean: [0.5], fit: 'crop', shorterSide: 10 } },
    ]);
    expect(settings).toMatchObject({ color: 'bgr', mean: [0.5], shorterSide: 10 });
    expect(notes).toContain('mean 0.5 (file)');
  });

  it("does not use a file's shorter side with another fit, or where it is smaller than the picture", () => {
    const spec = { name: 'x', datatype: 'FP32', shape: [1, 3, 8, 8], dimensionNames: [] } as const;
    const file = { origin: 'file', settings: { fit: 'crop', shorterSide: 10 } } as const;
    const stretched = planImage(spec, [{ origin: 'flag', settings: { fit: 'stretch' } }, file]);
    expect(stretched.settings.shorterSide).toBeUndefined();
    const small = planImage(spec, [{ origin: 'file', settings: { fit: 'crop', shorterSide: 4 } }]);
    expect(small.settings.shorterSide).toBeUndefined();
  });

  it.each([
    ['text', () => plan([-1], {}, 'BYTES'), /it holds BYTES/],
    ['five dimensions', () => plan([1, 3, 4, 8, 8]), /it has 5 dimensions/],
    ['seven channels', () => plan([1, 7, 8, 8]), /7 channels/],
    ['a list of open length', () => plan([-1, -1]), /number of pixels is open/],
    ['a list that is no square', () => plan([-1, 10]), /10 pixels are no square/],
    [
      'a size that the model does not take',
      () => plan([1, 3, 8, 8], { size: { width: 9, height: 8 } }),
      /--size 9x8/,
    ],
    ['grey for three channels', () => plan([1, 3, 8, 8], { color: 'grey' }), /--color grey/],
    ['three means for one channel', () => plan([1, 1, 8, 8], { mean: [1, 2, 3] }), /mean: 3 numbers/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
