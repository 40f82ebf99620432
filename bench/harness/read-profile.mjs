/** A sample longer than this many intervals: the process was not running, something else was. */
const LONGEST_INTERVALS = 3;

/**
 * Self times of a .cpuprofile as shares of all but idle time: by function, and by area of the code.
 * `usPerRequest` of the thread, measured without the profiler, is divided by them.
 */
export function readCpuProfile(profile, { root, intervalUs, usPerRequest, longest = 40 }) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const functions = new Map();
  const areas = new Map();
  let totalUs = 0;
  for (const [index, id] of profile.samples.entries()) {
    const { callFrame } = nodes.get(id);
    if (callFrame.functionName === '(idle)') continue;
    // A sample stands for the time until the next one.
    const us = Math.min(profile.timeDeltas[index + 1] ?? 0, LONGEST_INTERVALS * intervalUs);
    totalUs += us;
    add(functions, nameOf(callFrame, root), us);
    add(areas, areaOf(callFrame, root), us);
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
  const pending = [profile.head];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    add(functions, nameOf(node.callFrame, root), node.selfSize);
    pending.push(...node.children);
  }
  return [...functions]
    .sort((a, b) => b[1] - a[1])
    .slice(0, longest)
    .map(([name, bytes]) => ({ name, bytesPerRequest: bytes / requests }));
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
function areaOf({ functionName, url }, root) {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'outside of JavaScript: system calls, the HTTP parser, libuv';
  if (url === '') return 'native functions called from JavaScript: writes, buffers';
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
    .replace(/^dist\//, '')
    .split('/')
    .slice(0, 2)
    .join('/');
}
