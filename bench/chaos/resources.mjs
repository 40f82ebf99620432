import { readFileSync } from 'node:fs';
import { ROOT } from '../harness/places.mjs';

/** The environment of a server that writes down what its event loop holds, four times a second. */
export function resourcesEnv(folder) {
  return {
    NODE_OPTIONS: `--require ${ROOT}/bench/chaos/tell-resources.cjs`,
    CHAOS_RESOURCES_FILE: `${folder}/resources`,
  };
}

/** How many timers, and how many others; -1: not known. */
export function readResources(folder) {
  try {
    const names = JSON.parse(readFileSync(`${folder}/resources`, 'utf8'));
    const timers = names.filter((name) => name === 'Timeout').length;
    return { timers, resources: names.length - timers };
  } catch {
    return { timers: -1, resources: -1 };
  }
}
