import { nimifyWith } from './servers.mjs';

/** Fixed pairs of batch size and window that nimify's own choice is measured beside. */
const PAIRS = [
  { size: 8, windowMs: 0 },
  { size: 32, windowMs: 0 },
  { size: 32, windowMs: 2 },
];

/** nimify as it comes, twice, without batching, and with each pair; all are offered the same rates. */
export function gridServers(root) {
  const nimify = (name, flags) => nimifyWith({ root, name, flags, family: 'nimify' });
  return [
    nimify('nimify', []),
    nimify('nimify-unbatched', ['--batching', 'off']),
    ...PAIRS.map(({ size, windowMs }) =>
      nimify(`${size}@${windowMs}ms`, ['--batching', `maxBatchSize=${size},maxDelayMs=${windowMs}`]),
    ),
    // The same as the first: what the two differ by is what a difference must exceed to mean anything.
    nimify('nimify-again', []),
  ];
}
