import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toIdentifiers, toTypeNames } from './identifiers.ts';

describe('toIdentifiers', () => {
  it.each([
    [
      ['a-b', 'a_b'],
      ['a_b_2', 'a_b'],
    ],
    [
      ['a-b', 'a b', 'a_b_2'],
      ['a_b', 'a_b_3', 'a_b_2'],
    ],
    [
      ['class', 'None', 'class_'],
      ['class__2', 'None_', 'class_'],
    ],
    [
      ['input.1', 'model/input:0'],
      ['input_1', 'model_input_0'],
    ],
    [
      ['1st', '', '__x', '_', '.'],
      ['n1st', 'unnamed', 'x', 'unnamed_2', 'unnamed_3'],
    ],
    [
      ['名前', 'größe', '\u{1F331}a'],
      ['名前', 'größe', 'a'],
    ],
    // Python takes both for the same name (PEP 3131).
    [
      ['\ufb01t', 'fit'],
      ['fit_2', 'fit'],
    ],
    [
      ['a', 'a'],
      ['a', 'a_2'],
    ],
  ])('%j become %j', (names, expected) => {
    expect(toIdentifiers(names)).toEqual(expected);
  });

  it('keep away from what is reserved', () => {
    expect(toIdentifiers(['self', 'options', 'x'], ['self', 'options'])).toEqual([
      'self_2',
      'options_2',
      'x',
    ]);
  });

  it('are valid, no two alike and none that is reserved, whatever the names', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('a-b', 'a_b', 'a_b_2', 'class', 'self'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        const identifiers = toIdentifiers(names, ['self']);
        expect(new Set([...identifiers, 'self']).size).toBe(names.length + 1);
        for (const one of identifiers) expect(one).toMatch(/^\p{XID_Start}\p{XID_Continue}*$/u);
      }),
    );
  });
});

describe('toTypeNames', () => {
  it.each([
    [
      ['own_iris_rf', 'a-b', 'a_b', 'none', '1st'],
      ['OwnIrisRf', 'AB', 'AB_2', 'None_', 'N1st'],
    ],
  ])('%j become %j', (names, expected) => {
    expect(toTypeNames(names)).toEqual(expected);
  });
});
