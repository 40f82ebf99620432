import { readFileSync, writeFileSync } from 'node:fs';
import { FAILING } from '../models.mjs';

/** A Python function that fails when it is told to, and counts its rows itself. */
const environment = (folder) => ({
  FAILING_HOW: `${folder}/how`,
  FAILING_CALLS: `${folder}/calls`,
});
const prepare = (folder) => {
  for (const name of ['how', 'calls']) writeFileSync(`${folder}/${name}`, '');
};
const common = {
  ...{ env: environment, prepare },
  models: { [FAILING.name]: 2 },
  load: { ratePerSecond: 100 },
  needsPython: true,
  calls: (folder) => readFileSync(`${folder}/calls`).length,
};

export const OUTAGE = {
  ...common,
  name: 'outage',
  what: 'every run of a model fails, at 100 requests a second',
  bars: ['breaker', 'amplification'],
  ...{ signs: ['breaker-opened'], mends: ['breaker-closed'] },
  seconds: { full: 10, short: 4 },
  async inject({ server, sleep, seconds }) {
    writeFileSync(`${server.folder}/how`, 'raise 1');
    await sleep(seconds * 1000);
    writeFileSync(`${server.folder}/how`, '');
  },
};

export const CRASHES = {
  ...common,
  name: 'crashes',
  what: 'of a hundred runs of a model one ends its process, at 100 requests a second',
  bars: ['amplification'],
  ...{ signs: ['instance-crashed', 'crash-loop'], mends: ['instance-replaced', 'crash-loop-ended'] },
  seconds: { full: 10, short: 4 },
  async inject({ server, sleep, seconds }) {
    writeFileSync(`${server.folder}/how`, 'crash 0.01');
    await sleep(seconds * 1000);
    writeFileSync(`${server.folder}/how`, '');
  },
};
