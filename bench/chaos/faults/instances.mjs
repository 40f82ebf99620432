import { signal } from '../processes.mjs';

const CRASHED = ['instance-crashed', 'crash-loop'];
const REPLACED = ['instance-replaced', 'crash-loop-ended'];

/** Processes of models that end, and such as stand still. */
export const KILL_INSTANCE = {
  name: 'kill-instance',
  what: 'SIGKILL of one of two processes of a model',
  bars: ['single'],
  ...{ signs: CRASHED, mends: REPLACED },
  async inject({ server, random }) {
    signal(anyOf(server.engines(), random), 'SIGKILL');
  },
};

export const STOP_INSTANCE = {
  name: 'stop-instance',
  what: 'SIGSTOP of one of two processes of a model, SIGCONT ten seconds later',
  bars: ['single'],
  ...{ signs: ['instance-stuck', 'member-ejected'], mends: REPLACED },
  seconds: { full: 10, short: 5 },
  async inject({ server, random, sleep, seconds }) {
    const pid = anyOf(server.engines(), random);
    signal(pid, 'SIGSTOP');
    await sleep(seconds * 1000);
    signal(pid, 'SIGCONT');
  },
};

export const KILL_EACH_SECOND = {
  name: 'kill-each-second',
  what: 'SIGKILL of one of four processes of a model each second, for a minute',
  about: 'Only the model whose rows take milliseconds: some of the killed are in the midst of a run.',
  bars: ['killed-each-second'],
  ...{ signs: CRASHED, mends: REPLACED },
  seconds: { full: 60, short: 10 },
  models: { sines: 4 },
  load: { ratePerSecond: 60 },
  async inject({ server, random, sleep, seconds, count }) {
    for (let second = 0; second < seconds; second += 1) {
      const engines = server.engines();
      if (engines.length > 0) signal(anyOf(engines, random), 'SIGKILL');
      count('killed', engines.length > 0 ? 1 : 0);
      await sleep(1000);
    }
  },
};

function anyOf(list, random) {
  return list[Math.floor(random() * list.length)];
}
