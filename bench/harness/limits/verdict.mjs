import { median, ratios, summarize } from '../statistics.mjs';

/** A bar and what became of it; `values` are those of the rounds. Without `isBar` it is only told. */
export function judge({ what, unit, sign, bar, values, isBar = true }) {
  const wanted = { what, unit, ...(isBar ? { bar: `${sign} ${bar}` } : {}) };
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) {
    return { ...wanted, verdict: 'not measured' };
  }
  const measured = summarize(values);
  if (!isBar) return { ...wanted, measured, verdict: 'beside it' };
  const isMet = sign === '>=' ? measured.median >= bar : measured.median <= bar;
  return { ...wanted, measured, verdict: isMet ? 'met' : 'missed' };
}

/**
 * A bar on requests/s, times theirs. Where what was measured is no further from the bar than the same server measured
 * twice differs, CPU time a request decides, which other processes disturb less; unless the core idles between requests
 * that come one by one (`isBusy`).
 */
export function judgeTimes({ what, bar, ours, again, theirs, isBusy = true }) {
  const of = (runs, field) => runs.map((run) => run[field]);
  const told = { what, bar, unit: 'x', sign: '>=' };
  const times = ratios(of(ours, 'perSecond'), of(theirs, 'perSecond'));
  const noise = noiseBetween(of(ours, 'perSecond'), of(again, 'perSecond'));
  const byTime = judge({ ...told, values: times });
  if (noise === undefined || byTime.measured === undefined) return byTime;
  const distance = Math.exp(Math.abs(Math.log(byTime.measured.median / bar)));
  if (distance > noise || !isBusy) return { ...byTime, what: `${what} (A/A ${noise.toFixed(2)} x)` };
  const { median: middle } = byTime.measured;
  return judge({
    ...told,
    what: `${what}, by CPU time: ${middle.toFixed(2)} x in requests/s is within the noise (A/A ${noise.toFixed(2)} x)`,
    values: ratios(of(theirs, 'cpuUsPerRequest'), of(ours, 'cpuUsPerRequest')),
  });
}

/** The factor by which two runs of the same server in the same round mostly differ; undefined without any. */
export function noiseBetween(ones, others) {
  const logs = ratios(ones, others).map((ratio) => Math.abs(Math.log(ratio)));
  return logs.length === 0 ? undefined : Math.exp(median(logs));
}

/** The same as a difference. */
export function differenceBetween(ones, others) {
  const apart = differences(ones, others).map(Math.abs);
  return apart.length === 0 ? undefined : median(apart);
}

/** Of the same round. */
export function differences(ours, theirs) {
  const both = Math.min(ours.length, theirs.length);
  return Array.from({ length: both }, (_, round) => ours[round] - theirs[round]);
}
