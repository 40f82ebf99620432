import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A sample longer than this many intervals: the process was not running, something else was. */
const LONGEST_INTERVALS = 3;
/** Of node:net, beneath which they are system calls. */
const WRITES = /^write(?:v|Buffer|\w+String)$/;

/**
 * Self times of a .cpuprofile as shares of all but idle time: by function, and by area of the code.
 * `usPerRequest` of the thread, measured without the profiler, is divided by them.
 */
export function readCpuProfile(profile, { root, intervalUs, usPerRequest, longest = 40 }) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const places = createPlaces();
  const functions = new Map();
  const areas = new Map();
  let totalUs = 0;
  for (const [index, id] of profile.samples.entries()) {
    const { callFrame } = nodes.get(id);
    if (callFrame.functionName === '(idle)') continue;
    // A sample stands for the time until the next one.
    const us = Math.min(profile.timeDeltas[index + 1] ?? 0, LONGEST_INTERVALS * intervalUs);
    totalUs += us;
    const frame = places(callFrame);
    add(functions, nameOf(frame, root), us);
    const caller = nodes.get(callers.get(id))?.callFrame;
    add(areas, areaOf(frame, root, caller === undefined ? undefined : places(caller)), us);
  }
  const table = (times, most) =>
    [...times]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([name, us]) => ({ name, usPerRequest: (us / totalUs) * usPerRequest, share: us / totalUs }));
  return { areas: table(areas, 100), top: table(functions, longest) };
}

/** Bytes of the JavaScript heap a request by the function that allocated them, from a sampling heap profile. */
export function readAllocations(profile, { root, requests, longest = 25 }) {
  const functions = new Map();
  const places = createPlaces();
  const pending = [profile.head];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    add(functions, nameOf(places(node.callFrame), root), node.selfSize);
    pending.push(...node.children);
  }
  return [...functions]
    .sort((a, b) => b[1] - a[1])
    .slice(0, longest)
    .map(([name, bytes]) => ({ name, bytesPerRequest: bytes / requests }));
}

/** Frames of files that were joined, as of the modules that they were joined from. */
function createPlaces() {
  const maps = new Map();
  return (frame) => {
    if (!frame.url.startsWith('file:')) return frame;
    if (!maps.has(frame.url)) maps.set(frame.url, mapOf(frame.url));
    const { originalSource, originalLine } =
      maps.get(frame.url)?.findEntry(frame.lineNumber, frame.columnNumber) ?? {};
    if (originalSource === undefined) return frame;
    const url = resolve(dirname(fileURLToPath(frame.url)), originalSource);
    return { ...frame, url, lineNumber: originalLine };
  };
}

/** Undefined where there is none. */
function mapOf(url) {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}

function add(times, key, us) {
  times.set(key, (times.get(key) ?? 0) + us);
}

function nameOf({ functionName, url, lineNumber }, root) {
  const place = url === '' ? 'native' : `${shorten(url, root)}:${lineNumber + 1}`;
  return functionName.startsWith('(') ? functionName : `${functionName || 'anonymous'} ${place}`;
}

function shorten(url, root) {
  return url
    .replace('file://', '')
    .replace(`${root}/`, '')
    .replace(/.*\/node_modules\//, '');
}

/** Our own code by folder, everything else by whose it is. */
function areaOf({ functionName, url }, root, caller) {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'outside of JavaScript: system calls, the HTTP parser, libuv';
  if (url === '' && WRITES.test(functionName)) return 'writes to sockets';
  if (url === '' && caller?.url.includes('/engine/'))
    return 'native functions of the engine: the run of the model';
  if (url === '') return 'other native functions called from JavaScript: buffers, clocks';
  if (url.startsWith('node:'))
    return `Node: ${
      url
        .slice(5)
        .replace(/^internal\//, '')
        .split('/')[0]
    }`;
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency === 'onnxruntime-node') return 'package onnxruntime-node, the run of the model included';
  if (dependency !== undefined) return `package ${dependency}`;
  return shorten(url, root)
    .replace(/^(?:dist|src)\//, '')
    .split('/')
    .slice(0, 2)
    .join('/');
}
