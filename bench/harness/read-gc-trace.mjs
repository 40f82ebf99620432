/** `[1:0x..]  123 ms: Scavenge 20.1 (35.0) -> 18.2 (35.0) MB, 0.9 / 0.0 ms  (average mu = ...` */
const LINE = /(\d+) ms: ([\w-]+)[^\d]*([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB,.*?([\d.]+) \/ [\d.]+ ms/;

/**
 * What --trace-gc says of the time between two moments, in milliseconds since the start of the process: bytes
 * allocated on the JavaScript heap (what was in use before a collection less what the one before it had left),
 * and time that collections held up the main thread.
 */
export function readGcTrace(text, { fromMs, toMs, requests }) {
  let leftMb;
  let allocatedMb = 0;
  let pausedMs = 0;
  const collections = {};
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [atMs, beforeMb, afterMb, tookMs] = [match[1], match[3], match[4], match[5]].map(Number);
    if (atMs >= fromMs && atMs <= toMs) {
      if (leftMb !== undefined) allocatedMb += Math.max(0, beforeMb - leftMb);
      pausedMs += tookMs;
      collections[match[2]] = (collections[match[2]] ?? 0) + 1;
    }
    leftMb = afterMb;
  }
  return {
    heapBytesPerRequest: (allocatedMb * 2 ** 20) / requests,
    gcUsPerRequest: (pausedMs * 1000) / requests,
    collections,
  };
}
