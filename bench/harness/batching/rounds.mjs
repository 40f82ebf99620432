import { measureRun } from '../measure.mjs';
import { median } from '../statistics.mjs';
import { closedLoad, OVERLOAD, openLoad } from './loads.mjs';

/** Of the closed loop: longer only where a request would not be answered in it. */
const CLOSED_SECONDS = 1;
const LONGEST_CLOSED_SECONDS = 3;
const ROUND_TRIPS = 1.5;
const OVERLOAD_ROUNDS = 5;
/** So many that the largest run that is worth it is always full. */
const PEAK_CONNECTIONS = 64;

/**
 * Each server in turn with so many requests in flight, round after round. In the scenario `closed` its best throughput
 * becomes the peak of its family.
 */
export async function closedRounds(up, connections, context) {
  const { model, runUs, options, scenario, peaks, firstRound = 0 } = context;
  const waitSeconds = (ROUND_TRIPS * connections * runUs) / 1e6;
  const seconds = Math.ceil(Math.min(LONGEST_CLOSED_SECONDS, Math.max(CLOSED_SECONDS, waitSeconds)));
  const best = {};
  for (let round = firstRound; round < firstRound + options.rounds; round += 1) {
    for (const server of up) {
      const load = closedLoad(server, model, options);
      const where = { model: model.name, server: server.name, scenario, connections, round };
      const run = await runOne(server, load, { ...context, seconds, connections }, where);
      if (run === undefined || server.name !== familyOf(server)) continue;
      best[server.name] = [...(best[server.name] ?? []), run.perSecond];
    }
  }
  if (scenario !== 'closed') return;
  for (const [family, values] of Object.entries(best)) {
    peaks[family] = Math.max(median(values), peaks[family] ?? 0);
  }
}

/**
 * A server under overload, right after what it comes to, without an objective, with enough requests in flight: on a
 * machine that is quicker in one minute than in the next, only those beside each other say what overload costs. So with
 * those that are refused by a socket that does nothing else.
 */
export async function overloadBesidePeak({ server, patient, floor }, { options, ...context }) {
  const { rounds: others } = options;
  for (let round = others; round < others + OVERLOAD_ROUNDS; round += 1) {
    const one = { ...context, options: { ...options, rounds: 1 }, firstRound: round };
    await closedRounds([patient], PEAK_CONNECTIONS, { ...one, scenario: 'peak' });
    await openRounds([server, floor], OVERLOAD, { ...one, scenario: 'overload' });
  }
}

/**
 * Each server in turn at a share of its family's peak, round after round.
 * @param context `isLast`: servers are ended after it, since one that refuses nothing has much left to do
 */
export async function openRounds(up, wanted, context) {
  const {
    model,
    options,
    scenario,
    objectiveMs,
    ownObjectivesMs = {},
    isLast = false,
    firstRound = 0,
  } = context;
  for (let round = firstRound; round < firstRound + options.rounds; round += 1) {
    for (const server of up) {
      const peak = context.peaks[familyOf(server)];
      if (peak === undefined) continue;
      const thresholdsMs = [objectiveMs ?? 0, ownObjectivesMs[server.name] ?? objectiveMs ?? 0];
      const how = { ...options, peak, thresholdsMs, round };
      const { load, ratePerSecond } = openLoad(server, model, wanted, how);
      const { arrivals, share } = wanted;
      const where = {
        model: model.name,
        server: server.name,
        scenario,
        arrivals,
        share,
        ratePerSecond,
        round,
      };
      const isOver = isLast && round === options.rounds - 1;
      await runOne(server, load, { ...context, ...(isOver ? { settleMs: 0 } : {}) }, where);
      if (isOver) await server.process.stop(0);
    }
  }
}

async function runOne(server, load, { options, results, say, seconds, connections, settleMs }, where) {
  const how = { ...options, seconds: seconds ?? options.seconds, connections, settleMs };
  try {
    const run = { ...where, ...(await measureRun(server, load, how)) };
    results.runs.push(run);
    say(`  ${lineOf(run)}`);
    return run;
  } catch (error) {
    // A peer that died: the others are measured all the same, and the page says so.
    results.failed.push({ ...where, reason: `${where.scenario}: ${error.message}` });
    say(`  ${server.name}: ${error.message}`);
    return undefined;
  }
}

function lineOf(run) {
  const { scenario, connections, arrivals, share, server, failed } = run;
  const ms = (us) => (us / 1000).toFixed(2);
  const load = connections === undefined ? `${arrivals} ${share}` : `${connections}`;
  const parts = [
    `${scenario} ${load} ${server}: ${Math.round(run.perSecond)}/s`,
    `p50 ${ms(run.p50Us)}, p99 ${ms(run.p99Us)} ms`,
  ];
  if (run.goodPerSecond?.[0] > 0) parts.push(`good ${run.goodPerSecond.map(Math.round).join(' / ')}`);
  if (run.refused > 0) parts.push(`${run.refused} refused in ${ms(run.refusalP99Us)} ms`);
  if (run.expired > 0) parts.push(`${run.expired} expired`);
  if (run.unanswered > 0) parts.push(`${run.unanswered} unanswered`);
  if (failed > 0) parts.push(`${failed} FAILED`);
  return parts.join(', ');
}

function familyOf({ name, family = name }) {
  return family;
}
