import { measureStartUps } from '../start-up.mjs';
import { named } from './servers.mjs';

/** Starts of each server alone, in turn, for each model. */
export async function measureStarts(part, { servers, models, options, say }) {
  const startUps = [];
  const chosen = part.servers.map((name) => named(servers, name));
  for (const model of models) {
    say(`start-up of ${model.name}`);
    const { rounds, serverCore } = options;
    startUps.push(...(await measureStartUps(chosen, model, { rounds, serverCore })));
  }
  return { startUps };
}
