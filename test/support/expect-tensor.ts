import { expect } from 'vitest';
import type { PlainTensor, Value } from './tensor.ts';

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/**
 * How far two right answers may lie apart, by datatype: the same graph gives other last digits on other
 * processors, by the order in which it sums. What is not listed must be equal.
 */
const TOLERANCE: Readonly<Record<string, Tolerance>> = {
  FP16: { absolute: 1e-3, relative: 2e-3 },
  FP32: { absolute: 1e-6, relative: 1e-5 },
  FP64: { absolute: 1e-14, relative: 1e-12 },
};

const EXACT: Tolerance = { absolute: 0, relative: 0 };

/** Same datatype, shape and values, floating-point values within the tolerance. Names are the caller's business. */
export function expectTensor(got: PlainTensor | undefined, wanted: PlainTensor, tolerance?: Tolerance): void {
  if (got === undefined) throw new Error(`no output ${wanted.name}`);
  expect({ datatype: got.datatype, shape: got.shape, count: got.values.length }).toEqual({
    datatype: wanted.datatype,
    shape: wanted.shape,
    count: wanted.values.length,
  });
  const allowed = tolerance ?? TOLERANCE[wanted.datatype] ?? EXACT;
  const apart = wanted.values.flatMap((value, i) =>
    isNear(got.values[i], value, allowed) ? [] : [`[${i}] is ${got.values[i]}, wanted ${value}`],
  );
  expect(apart.slice(0, 5), `${wanted.name}: ${apart.length} of ${wanted.values.length} values`).toEqual([]);
}

function isNear(got: Value | undefined, wanted: Value, { absolute, relative }: Tolerance): boolean {
  if (Object.is(got, wanted)) return true;
  if (typeof got !== 'number' || typeof wanted !== 'number') return got === wanted;
  return Math.abs(got - wanted) <= absolute + relative * Math.abs(wanted);
}
