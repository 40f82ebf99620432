import { number, spread, table } from '../markdown.mjs';
import {
  renderBars,
  renderHead,
  renderMethod,
  renderProfile,
  renderScenarios,
  renderStartUps,
} from '../report.mjs';
import { median, summarize } from '../statistics.mjs';
import { noiseBetween } from './verdict.mjs';

const MEGABYTE = 1e6;
/** Of the looks at resident memory, so many are shown. */
const SHOWN_SAMPLES = 12;

/** The results of the suite `limits` as a page: bars, then each part. */
export function renderLimits(results, suite) {
  const { label, date, noise, bars, machine, parts, profiles } = results;
  return [
    `# At the limits, ${date}, ${label}`,
    renderHead(results),
    '## Bars',
    renderBars(bars),
    noise === undefined
      ? ''
      : `nimify measured twice (A/A, ${noise.scenarios} scenarios) differs by a factor of ${noise.usual.toFixed(2)} usually and ${noise.largest.toFixed(2)} at most, of two runs in the same round.`,
    ...parts.map(renderPart),
    ...(profiles.length === 0 ? [] : ['## Where the time goes', ...profiles.map(renderProfile)]),
    '## How it was measured',
    renderMethod(results, machine, suite),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function renderPart(part) {
  const { name, about, hosts = [], startUps, written, memory, flat, tried = [] } = part;
  return [
    `## ${name}`,
    about,
    ...loadsOf(part),
    tried.length === 0 ? '' : renderTried(tried, part.raw),
    startUps === undefined ? '' : renderStartUps(startUps),
    written === undefined ? '' : renderWritten(written),
    memory === undefined ? '' : renderMemory(memory),
    flat === undefined ? '' : renderFlat(flat),
    ...hosts.map(({ server, model, host }) => `Where ${server} ran ${model}: ${host}.`),
  ]
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

function loadsOf({ runs = [], reference }) {
  const scenarios = new Map();
  for (const run of runs) {
    const key = `${run.model}, ${run.encoding}`;
    scenarios.set(key, [...(scenarios.get(key) ?? []), run]);
  }
  return [...scenarios].map(
    ([key, mine]) => `### ${key}\n\n${renderScenarios(mine, { reference, referenceLabel: reference })}`,
  );
}

/** The search for the bare engine's best, and that best measured in each round. */
function renderTried(tried, raw) {
  const rows = tried.map(({ model, rows, threads, perSecond, cpuUsPerRequest }) => {
    const rounds = raw.filter((one) => one.model === model && one.rows === rows && one.threads === threads);
    const again = rounds.length === 0 ? '' : spread(summarize(rounds.map((one) => one.perSecond)));
    return [model, rows, threads, number(perSecond), number(cpuUsPerRequest), again];
  });
  const head = ['bare engine', 'rows a run', 'threads', 'rows/s', 'CPU µs a row', 'rows/s in the rounds'];
  return table(head, rows);
}

function renderWritten(written) {
  const rows = [];
  for (const distribution of new Set(written.map((one) => one.distribution))) {
    for (const writer of new Set(written.map((one) => one.writer))) {
      const mine = written.filter((one) => one.distribution === distribution && one.writer === writer);
      const milliseconds = summarize(mine.map(({ cpuUs }) => cpuUs / 1000));
      rows.push([distribution, writer, spread(milliseconds), mine[0].textBytes.toLocaleString('en')]);
    }
  }
  return table(['numbers', 'writer', 'CPU ms a text', 'bytes'], rows);
}

function renderMemory(memory) {
  const rows = [];
  for (const asked of new Set(memory.map((one) => one.asked))) {
    for (const atOnce of new Set(memory.map((one) => one.atOnce))) {
      const mine = memory.filter((one) => one.asked === asked && one.atOnce === atOnce);
      const held = (field) => spread(summarize(mine.map((one) => one[field] / MEGABYTE)));
      const file = number(mine[0].fileBytes / MEGABYTE);
      rows.push([asked, mine[0].host, atOnce, held('pssBytes'), held('rssBytes'), file]);
    }
  }
  return table(['asked for', 'host', 'runs at once', 'PSS MB', 'RSS MB', 'file MB'], rows);
}

function renderFlat({ host, requests, unanswered, samples }) {
  const every = Math.max(1, Math.floor(samples.length / SHOWN_SAMPLES));
  const shown = samples.filter((_, at) => at % every === 0 || at === samples.length - 1);
  const rows = shown.map((sample) => [
    sample.seconds,
    sample.requests.toLocaleString('en'),
    number(sample.rssBytes / 2 ** 20),
  ]);
  return [
    `${requests.toLocaleString('en')} answered, ${unanswered} not; where they ran: ${host}.`,
    table(['s', 'answered', 'RSS MiB'], rows),
  ].join('\n\n');
}

/** How the runs of the same server in the same round differ, over all that were measured twice. */
export function noiseOfLimits({ parts }) {
  const factors = [];
  for (const { runs = [], ours = 'nimify' } of parts) {
    const keys = new Set(
      runs.map(({ model, encoding, connections }) => `${model} ${encoding} ${connections}`),
    );
    for (const key of keys) {
      const of = (server) =>
        runs
          .filter((run) => `${run.model} ${run.encoding} ${run.connections}` === key && run.server === server)
          .map((run) => run.perSecond);
      const noise = noiseBetween(of(ours), of(`${ours}-again`));
      if (noise !== undefined) factors.push(noise);
    }
  }
  return factors.length === 0
    ? undefined
    : { usual: median(factors), largest: Math.max(...factors), scenarios: factors.length };
}
