import { describe, expect, it } from 'vitest';
import { createRunPlaces, placesIn, poolThreads } from './run-places.ts';

describe('createRunPlaces', () => {
  it('lets in as many as there are places, and the others in their order', () => {
    const places = createRunPlaces(2);
    const begun: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) places.enter(() => begun.push(name));
    expect(begun).toEqual(['a', 'b']);
    places.leave();
    expect(begun).toEqual(['a', 'b', 'c']);
    places.leave();
    places.leave();
    places.leave();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (const name of ['e', 'f', 'g']) places.enter(() => begun.push(name));
    expect(begun.slice(4)).toEqual(['e', 'f']);
  });
});

it.each([
  [undefined, 4],
  ['20', 20],
  ['0', 1],
  ['-3', 1],
  ['many', 1],
  ['5000', 1024],
])('poolThreads reads %s as libuv does', (size, threads) => {
  expect(poolThreads(size === undefined ? {} : { UV_THREADPOOL_SIZE: size })).toBe(threads);
});

it.each([
  [1, 0],
  [2, 1],
  [4, 2],
  [5, 2],
  [8, 4],
  [20, 16],
])('of %i threads, %i are for runs', (threads, places) => {
  expect(placesIn(threads)).toBe(places);
});
