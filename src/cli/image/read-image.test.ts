import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Datatype, TypedArray } from '../../base/tensor/datatype.ts';
import { planImage } from './image-plan.ts';
import type { ImageSettings } from './image-settings.ts';
import { readImage } from './read-image.ts';

type Pixel = readonly [red: number, green: number, blue: number];

const RED: Pixel = [255, 0, 0];
const GREEN: Pixel = [0, 255, 0];
const BLUE: Pixel = [0, 0, 255];
const WHITE: Pixel = [255, 255, 255];

function png(rows: readonly (readonly Pixel[])[]): Promise<Buffer> {
  const [width, height] = [rows[0]!.length, rows.length];
  return sharp(Buffer.from(rows.flat(2)), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

async function read(
  bytes: Uint8Array,
  shape: readonly number[],
  settings: Partial<ImageSettings> = {},
  datatype: Datatype = 'FP32',
): Promise<number[]> {
  const spec = { name: 'x', datatype, shape, dimensionNames: [] };
  const plan = planImage(spec, [{ origin: 'flag', settings: { scale: 1, ...settings } }]);
  return Array.from((await readImage(bytes, plan, datatype, 'x.png')) as TypedArray, Number);
}

describe('readImage', () => {
  const square = png([
    [RED, GREEN],
    [BLUE, WHITE],
  ]);

  it('lays channels before or after the pixels', async () => {
    expect(await read(await square, [1, 3, 2, 2])).toEqual([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]);
    expect(await read(await square, [1, 2, 2, 3])).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
  });

  it('turns the colour order and makes grey by luma', async () => {
    expect(await read(await square, [1, 2, 2, 3], { color: 'bgr' })).toEqual([
      0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255,
    ]);
    expect(await read(await square, [1, 1, 2, 2])).toEqual([76, 150, 29, 255]);
  });

  it('scales, subtracts and divides by channel', async () => {
    const settings = { scale: 1 / 255, mean: [0.5, 0, 1], std: [0.5, 1, 2] } as const;
    expect(await read(await square, [1, 2, 2, 3], settings)).toEqual([
      1, 0, -0.5, -1, 1, -0.5, -1, 0, 0, 1, 1, 0,
    ]);
  });

  it('makes light linear where asked', async () => {
    const grey = await png([[[188, 188, 188]]]);
    const [value] = await read(grey, [1, 1, 1, 1], { scale: 1 / 255, gamma: 'linear' });
    expect(value).toBeCloseTo(0.5029, 3);
  });

  it('cuts the middle out, stretches, or puts black around', async () => {
    const wide = await png([
      [RED, GREEN, GREEN, BLUE],
      [RED, GREEN, GREEN, BLUE],
    ]);
    const first = async (settings: Partial<ImageSettings>) =>
      (await read(wide, [1, 2, 2, 3], settings)).slice(0, 3);
    expect(await first({ fit: 'crop', kernel: 'nearest' })).toEqual([...GREEN]);
    const [red = 0, green = 0, blue] = await first({ fit: 'stretch' });
    expect([red > 0, green > 0, blue]).toEqual([true, true, 0]);
    expect(await read(wide, [1, 4, 4, 3], { fit: 'contain', kernel: 'nearest' })).toSatisfy(
      (values: number[]) => values.slice(0, 12).every((value) => value === 0) && values[12] === 255,
    );
  });

  it('scales the shorter side before cutting where told', async () => {
    const rows = Array.from({ length: 8 }, (_, y) =>
      Array.from({ length: 8 }, (_, x): Pixel => (x >= 2 && x < 6 && y >= 2 && y < 6 ? WHITE : RED)),
    );
    const picture = await png(rows);
    const cut = await read(picture, [1, 3, 4, 4], { fit: 'crop', shorterSide: 8, kernel: 'nearest' });
    expect(new Set(cut)).toEqual(new Set([255]));
    expect(new Set(await read(picture, [1, 3, 4, 4], { fit: 'crop', kernel: 'nearest' }))).toEqual(
      new Set([0, 255]),
    );
  });

  it('turns the picture upright as EXIF says, and crops what it then is', async () => {
    const turned = await sharp(await png([[RED, GREEN, GREEN, GREEN, GREEN, GREEN, GREEN, BLUE]]))
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const values = await read(turned, [1, 8, 1, 3], { kernel: 'nearest' });
    expect(values.slice(0, 3)).toEqual([...RED]);
    expect(values.slice(-3)).toEqual([...BLUE]);
  });

  it('drops transparency, and reads grey files as grey and as colour', async () => {
    const clear = await sharp(await square)
      .ensureAlpha(0.3)
      .png()
      .toBuffer();
    expect(await read(clear, [1, 2, 2, 3])).toEqual(await read(await square, [1, 2, 2, 3]));
    const grey = await sharp(Buffer.from([10, 20]), { raw: { width: 2, height: 1, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect(await read(grey, [1, 1, 1, 2])).toEqual([10, 20]);
    expect(await read(grey, [1, 1, 2, 3], { layout: 'nhwc' })).toEqual([10, 10, 10, 20, 20, 20]);
  });

  it('gives half-precision bits and whole numbers', async () => {
    expect(await read(await square, [1, 1, 2, 2], { scale: 1 / 255 }, 'FP16')).toSatisfy(
      (bits: number[]) => bits[3] === 0x3c00,
    );
    expect(await read(await square, [1, 1, 2, 2], {}, 'UINT8')).toEqual([76, 150, 29, 255]);
  });

  it('refuses values that the datatype cannot hold', async () => {
    await expect(read(await square, [1, 1, 2, 2], {}, 'INT8')).rejects.toThrow(/expected INT8/);
  });

  it.each([
    ['text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
  ])('refuses %s', async (_, bytes) => {
    await expect(read(bytes, [1, 3, 2, 2])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('refuses a cut picture', async () => {
    const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#123456' } })
      .jpeg()
      .toBuffer();
    await expect(read(whole.subarray(0, 200), [1, 3, 64, 64])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});
