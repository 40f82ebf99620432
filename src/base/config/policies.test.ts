import { describe, expect, it } from 'vitest';
import type { Kind } from './kind.ts';
import { BREAKER, BULKHEAD, EJECTION, FALLBACK, HEDGE, RETRY } from './policies.ts';

describe('the choices of policies', () => {
  it.each<{ readonly kind: Kind<unknown>; readonly value: unknown; readonly text: string }>([
    { kind: BREAKER, value: { errorRate: 0.2, slowMs: 250 }, text: 'errorRate=0.2, slowMs=250' },
    { kind: RETRY, value: { maxTries: 3, share: 0.1 }, text: 'maxTries=3,share=0.1' },
    { kind: HEDGE, value: { percentile: 99 }, text: 'percentile=99' },
    { kind: EJECTION, value: { maxShare: 0.3 }, text: 'maxShare=0.3' },
    {
      kind: BULKHEAD,
      value: { maxConcurrent: 8, criticality: 'sheddable' },
      text: 'maxConcurrent=8,criticality=sheddable',
    },
  ])('are taken as objects and as text: $text', ({ kind, value, text }) => {
    expect(kind.fromValue(value)).toEqual(value);
    expect(kind.fromText(text)).toEqual(value);
  });

  it('are taken as words', () => {
    expect(BREAKER.fromText('AUTO')).toBe('auto');
    expect(RETRY.fromValue('off')).toBe('off');
    expect(HEDGE.fromValue('auto')).toBeUndefined();
    expect(BULKHEAD.fromText('on')).toBeUndefined();
  });

  it.each<{ readonly kind: Kind<unknown>; readonly value: unknown }>([
    { kind: BREAKER, value: { errorRate: 0 } },
    { kind: BREAKER, value: {} },
    { kind: BREAKER, value: { toString: 1 } },
    { kind: RETRY, value: { maxTries: 1 } },
    { kind: RETRY, value: { share: 1.5 } },
    { kind: EJECTION, value: [] },
    { kind: BULKHEAD, value: { criticality: 'high' } },
  ])('refuse $value', ({ kind, value }) => {
    expect(kind.fromValue(value)).toBeUndefined();
  });

  it('are not taken twice or half as text', () => {
    expect(RETRY.fromText('maxTries=2,maxTries=3')).toBeUndefined();
    expect(RETRY.fromText('maxTries')).toBeUndefined();
  });
});

describe('a fallback ladder', () => {
  const ladder = [{ model: 'small' }, { model: 'digits', version: '1' }, { constant: { label: [0] } }];

  it('is a list of models, versions and constants', () => {
    expect(FALLBACK.fromValue(ladder)).toEqual(ladder);
    expect(FALLBACK.fromText('small, digits:1')).toEqual(ladder.slice(0, 2));
  });

  it.each<{ readonly value: unknown }>([
    { value: [] },
    { value: 'small' },
    { value: ['small'] },
    { value: [{ model: '' }] },
    { value: [{ version: '1' }] },
    { value: [{ constant: {} }] },
    { value: [{ constant: { label: 0 }, model: 'small' }] },
    { value: [{ model: 'small', else: 1 }] },
  ])('is not $value', ({ value }) => {
    expect(FALLBACK.fromValue(value)).toBeUndefined();
  });
});
