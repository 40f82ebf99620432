import { median, ratios, summarize } from './statistics.mjs';

/** Connections at which the bars are read. */
const AT = 64;
const MEGABYTE = 1e6;
/** Each bar on FastAPI is read against both, since people write both. */
const FASTAPIS = [
  ['fastapi', 'at its leanest'],
  ['fastapi-documented', 'as documented'],
];

/**
 * The project's own bars, each with what was measured. `measured` is a median over rounds with its spread;
 * undefined where the run left the scenario out.
 */
export function judgeBars({ runs, raw, startUps }) {
  const pick = (model, encoding, server, field) =>
    runs
      .filter(
        (one) =>
          one.model === model &&
          one.encoding === encoding &&
          one.connections === AT &&
          one.server === server &&
          one.failed === 0,
      )
      .map((one) => one[field]);

  const bars = [];
  function judge(what, unit, bar, isAtLeast, values) {
    const wanted = { what, unit, bar: `${isAtLeast ? '>=' : '<='} ${bar}` };
    if (values.length === 0 || values.some((value) => !Number.isFinite(value))) {
      bars.push({ ...wanted, verdict: 'not measured' });
      return;
    }
    const measured = summarize(values);
    const isMet = isAtLeast ? measured.median >= bar : measured.median <= bar;
    bars.push({ ...wanted, measured, verdict: isMet ? 'met' : 'missed' });
  }
  function timesFastApi(model, encoding, bar) {
    const ours = pick(model, encoding, 'nimify', 'perSecond');
    for (const [server, which] of FASTAPIS) {
      const theirs = pick(model, encoding, server, 'perSecond');
      judge(
        `${model}, ${encoding}: requests/s, times FastAPI ${which}`,
        'x',
        bar,
        true,
        ratios(ours, theirs),
      );
    }
  }

  for (const encoding of ['binary', 'json']) {
    timesFastApi('own_iris_rf', encoding, 5);
    const cpu = pick('own_iris_rf', encoding, 'nimify', 'cpuUsPerRequest');
    judge(`own_iris_rf, ${encoding}: CPU a request, the run included`, 'µs', 45, false, cpu);
  }
  timesFastApi('pixels', 'json', 2.5);
  timesFastApi('pixels', 'binary', 1.3);

  for (const model of ['encoder', 'light_squeezenet', 'light_resnet50']) {
    const bare = raw
      .filter((one) => one.model === model && one.encoding === 'binary')
      .map((one) => one.perSecond);
    const ours = pick(model, 'binary', 'nimify', 'perSecond');
    judge(`${model}, binary: requests/s, share of the bare engine's`, 'x', 0.8, true, ratios(ours, bare));
    const p99 = pick(model, 'binary', 'nimify', 'p99Us');
    for (const [server, which] of FASTAPIS) {
      const theirs = pick(model, 'binary', server, 'p99Us');
      judge(`${model}, binary: p99, share of that of FastAPI ${which}`, 'x', 1, false, ratios(p99, theirs));
    }
  }

  for (const model of new Set(startUps.map((one) => one.model))) {
    const of = (server, field) =>
      startUps.filter((one) => one.model === model && one.server === server).map((one) => one[field]);
    const floorMs = median(of('node-http', 'firstAnswerMs'));
    const over = of('nimify', 'firstAnswerMs').map((ms) => ms - floorMs);
    judge(`${model}: process start to first answer, over node:http + ONNX Runtime`, 'ms', 60, false, over);
    const floorBytes = median(of('node-http', 'idlePssBytes'));
    const more = of('nimify', 'idlePssBytes').map((bytes) => (bytes - floorBytes) / MEGABYTE);
    judge(`${model}: idle memory (PSS), over node:http + ONNX Runtime`, 'MB', 20, false, more);
  }
  return bars;
}

/** By how much two runs of the same server differ: the largest of all scenarios, and the usual. */
export function noiseOf(runs) {
  const perScenario = new Map();
  for (const one of runs) {
    if (one.server !== 'nimify' && one.server !== 'nimify-again') continue;
    const key = `${one.model} ${one.encoding} ${one.connections}`;
    const pair = perScenario.get(key) ?? { nimify: [], 'nimify-again': [] };
    pair[one.server].push(one.perSecond);
    perScenario.set(key, pair);
  }
  const differences = [...perScenario.values()]
    .map((pair) => ratios(pair.nimify, pair['nimify-again']))
    .filter((both) => both.length > 0)
    .map((both) => Math.abs(Math.log(median(both))))
    .map((log) => Math.exp(log));
  return differences.length === 0
    ? undefined
    : { usual: median(differences), largest: Math.max(...differences), scenarios: differences.length };
}
