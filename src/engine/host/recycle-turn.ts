let last: Promise<unknown> = Promise.resolve();

/**
 * One replacement for size after the other, in all models: instances of the same age grow alike, and each that is replaced
 * is there twice for as long as the new one loads.
 */
export function inTurn<T>(replace: () => Promise<T>): Promise<T> {
  const result = last.then(replace);
  last = result.catch(() => undefined);
  return result;
}
