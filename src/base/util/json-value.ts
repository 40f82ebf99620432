/** Of a value that was read from JSON: is it an object, and no list? */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number above 0 that is exact. */
export function isCount(value: unknown): value is number {
  return isPositive(value) && Number.isSafeInteger(value);
}

/** A number above 0, and not infinite. */
export function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
