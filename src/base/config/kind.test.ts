import { describe, expect, it } from 'vitest';
import { BOOLEAN, BYTES, COUNT, milliseconds, NAMED_LIST, oneOf, PORT, SHARE, TEXT } from './kind.ts';

describe('kinds', () => {
  it('take whole numbers within their bounds', () => {
    expect(PORT.fromValue(0)).toBe(0);
    expect(PORT.fromText('65535')).toBe(65_535);
    for (const wrong of [-1, 65_536, 1.5, Number.NaN, '80', null, true])
      expect(PORT.fromValue(wrong)).toBeUndefined();
    for (const wrong of ['', ' 80', '-1', '1e3', '0x50', '80.0'])
      expect(PORT.fromText(wrong)).toBeUndefined();
    expect(COUNT.fromValue(0)).toBeUndefined();
    expect(COUNT.fromText('3')).toBe(3);
  });

  it('take sizes with binary and decimal units', () => {
    expect(BYTES.fromValue(67_108_864)).toBe(2 ** 26);
    expect(BYTES.fromValue('64MiB')).toBe(2 ** 26);
    expect(BYTES.fromText('64 mib')).toBe(2 ** 26);
    expect(BYTES.fromText('1.5GB')).toBe(1_500_000_000);
    expect(BYTES.fromText('0.5kib')).toBe(512);
    expect(BYTES.fromText('12')).toBe(12);
    expect(BYTES.fromText('12B')).toBe(12);
    for (const wrong of ['0', '0.1B', '1.5', 'MiB', '1 2MiB', '64Mi', '-1MiB', '999999999TiB'])
      expect(BYTES.fromText(wrong)).toBeUndefined();
  });

  it('take durations with units', () => {
    const ms = milliseconds(1);
    expect(ms.fromValue(1500)).toBe(1500);
    expect(ms.fromText('1.5s')).toBe(1500);
    expect(ms.fromText('2 m')).toBe(120_000);
    expect(ms.fromText('2min')).toBe(120_000);
    expect(ms.fromText('1h')).toBe(3_600_000);
    expect(ms.fromText('250ms')).toBe(250);
    for (const wrong of ['0', '0.5ms', '3 weeks', '1000h', '1e3', 's'])
      expect(ms.fromText(wrong)).toBeUndefined();
    expect(milliseconds(0).fromText('0')).toBe(0);
  });

  it('take words in any case from text, and as they are from YAML', () => {
    const kind = oneOf('auto', 'none');
    expect(kind.fromText('AUTO')).toBe('auto');
    expect(kind.fromValue('AUTO')).toBeUndefined();
    expect(kind.fromValue('none')).toBe('none');
    expect(kind.expected).toBe('one of auto, none');
  });

  it('take truths, shares and texts', () => {
    expect(BOOLEAN.fromText('TRUE')).toBe(true);
    expect(BOOLEAN.fromText('0')).toBe(false);
    expect(BOOLEAN.fromText('yes')).toBeUndefined();
    expect(BOOLEAN.fromValue('true')).toBeUndefined();
    expect(SHARE.fromText('.25')).toBe(0.25);
    expect(SHARE.fromText('1.01')).toBeUndefined();
    expect(SHARE.fromText('1e-3')).toBeUndefined();
    expect(TEXT.fromText('')).toBeUndefined();
    expect(TEXT.fromValue(5)).toBeUndefined();
  });

  it('take names, with options only where there is YAML', () => {
    expect(NAMED_LIST.fromText('cuda, cpu')).toEqual(['cuda', 'cpu']);
    expect(NAMED_LIST.fromText('cuda,')).toBeUndefined();
    const list = [{ name: 'cuda', deviceId: 1 }, 'cpu'];
    expect(NAMED_LIST.fromValue(list)).toEqual(list);
    for (const wrong of [[], 'cpu', [5], [{ deviceId: 1 }], [{ name: '' }], [['cpu']]])
      expect(NAMED_LIST.fromValue(wrong)).toBeUndefined();
  });
});
