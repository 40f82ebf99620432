import { number, percent, spread, table } from './markdown.mjs';
import { median, ratios, summarize } from './statistics.mjs';

const LONGEST_LIST = 20;
const SMALLEST_SHARE = 0.003;

/** The results as a page: bars, then a table for each model, then start-up and how it was measured. */
export function renderReport(results, suite) {
  const { machine, label, date, noise, bars, profiles, startUps } = results;
  return [
    `# Benchmark ${date}, ${label}`,
    renderHead(results),
    '## Bars',
    renderBars(bars),
    noise === undefined
      ? ''
      : `The same server measured twice (nimify and nimify-again, ${noise.scenarios} scenarios) differs by a factor of ${noise.usual.toFixed(2)} usually and ${noise.largest.toFixed(2)} at most: a ratio nearer to 1 than that says nothing.`,
    ...results.models.map((model) => renderModel(model, results, suite)),
    ...(startUps.length === 0 ? [] : ['## Start-up and idle memory', renderStartUps(startUps)]),
    ...(profiles.length === 0 ? [] : ['## Where the time goes', ...profiles.map(renderProfile)]),
    '## How it was measured',
    renderMethod(results, machine, suite),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

export function renderBars(bars) {
  return table(
    ['bar', 'wanted', 'measured (min to max)', ''],
    bars.map(({ what, unit, bar, measured, verdict }) => [
      what,
      bar === undefined ? '' : `${bar} ${unit}`,
      measured === undefined ? '' : `${spread(measured)} ${unit}`,
      verdict === 'missed' ? '**missed**' : verdict,
    ]),
  );
}

/** What was measured, on what, and whether the machine was quiet. */
export function renderHead({ machine, runs, args }) {
  const disturbed = runs.filter((one) => one.foreignShare > 0.1).length;
  const quiet =
    disturbed === 0
      ? "No run lost more than a tenth of the server's core to other processes."
      : `**Not a quiet machine:** in ${disturbed} of ${runs.length} runs other processes took more than a tenth of the server's core.`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, onnxruntime-node ${machine.packages['onnxruntime-node']}, ${machine.load}.`,
    `Commit ${machine.commit?.slice(0, 12) ?? 'unknown'}${machine.uncommitted ? ' with uncommitted changes' : ''}; \`npm run bench -- ${args.join(' ')}\`.`,
    quiet,
  ].join('\n');
}

function renderModel(model, { runs, raw, leftOut }, suite) {
  const beside = raw.filter((one) => one.model === model.name).map((one) => one.runUs);
  const bareUs = beside.length === 0 ? model.bareRunUs : median(beside);
  const out = leftOut.filter((one) => one.model === model.name);
  const parts = [
    `## ${model.name}`,
    `${model.about}. The bare engine takes ${number(bareUs)} µs a run, back to back on the same core.`,
  ];
  const encodings = new Set(runs.filter((one) => one.model === model.name).map((one) => one.encoding));
  for (const encoding of encodings) {
    parts.push(
      `### ${model.name}, ${encoding} (${model.bodyBytes[encoding].toLocaleString('en')} bytes)`,
      renderScenarios(
        runs.filter((one) => one.model === model.name && one.encoding === encoding),
        suite,
      ),
    );
  }
  if (out.length > 0) {
    const list = out.map(({ encoding, connections }) => `${encoding} at ${connections}`).join(', ');
    parts.push(`Left out, because a request would wait for seconds behind the others: ${list}.`);
  }
  return parts.join('\n\n');
}

export function renderScenarios(runs, { reference, referenceLabel }) {
  const hasLoadShares = runs.some((one) => one.loadShare !== undefined);
  const rows = [];
  for (const connections of new Set(runs.map((one) => one.connections))) {
    const scenario = runs.filter((one) => one.connections === connections);
    const theirs = scenario.filter((one) => one.server === reference).map((one) => one.perSecond);
    for (const server of new Set(scenario.map((one) => one.server))) {
      const mine = scenario.filter((one) => one.server === server);
      const of = (field) => mine.map((one) => one[field]);
      const failed = of('failed').reduce((sum, count) => sum + count, 0);
      rows.push([
        connections,
        server,
        spread(summarize(of('perSecond'))),
        theirs.length === 0 ? '' : median(ratios(of('perSecond'), theirs)).toFixed(2),
        number(median(of('p50Us')) / 1000),
        number(median(of('p99Us')) / 1000),
        number(median(of('cpuUsPerRequest'))),
        number(median(of('pssBytes')) / 1e6),
        ...(hasLoadShares ? [percent(median(of('loadShare')))] : []),
        failed === 0 ? '' : `**${failed} failed**`,
      ]);
    }
  }
  return table(
    [
      'in flight',
      'server',
      'requests/s (min to max)',
      `x ${referenceLabel}`,
      'p50 ms',
      'p99 ms',
      'CPU µs a request',
      'PSS MB',
      ...(hasLoadShares ? ['load, of its core'] : []),
      '',
    ],
    rows,
  );
}

export function renderStartUps(startUps) {
  const rows = [];
  for (const model of new Set(startUps.map((one) => one.model))) {
    for (const server of new Set(startUps.map((one) => one.server))) {
      const mine = startUps.filter((one) => one.model === model && one.server === server);
      if (mine.length === 0) continue;
      rows.push([
        model,
        server,
        spread(summarize(mine.map((one) => one.firstAnswerMs))),
        spread(summarize(mine.map((one) => one.idlePssBytes / 1e6))),
      ]);
    }
  }
  return table(['model', 'server', 'ms from process start to first answer', 'idle PSS MB'], rows);
}

export function renderProfile(profile) {
  const { model, encoding, connections, requests, areas, top, allocations } = profile;
  const total = `${number(profile.cpuUsPerRequest)} µs CPU a request, ${number(profile.mainThreadUsPerRequest)} of it on the main thread`;
  const heap = `${number(profile.heapBytesPerRequest)} bytes of the JavaScript heap, ${number(profile.gcUsPerRequest)} µs in pauses of its collector`;
  const shares = ({ name, usPerRequest, share }) => [name, usPerRequest.toFixed(2), percent(share)];
  const seen = areas.filter(({ share }) => share >= SMALLEST_SHARE);
  return [
    `### ${model}, ${encoding}, ${connections} connections`,
    `${total}; ${heap} (${number(requests)} requests). The main thread's time by the shares that V8's sampling profiler saw:`,
    table(['where', 'µs a request', 'share'], seen.map(shares)),
    table(['function', 'µs a request', 'share'], top.slice(0, LONGEST_LIST).map(shares)),
    table(
      ['allocates', 'bytes a request'],
      allocations.slice(0, LONGEST_LIST).map(({ name, bytesPerRequest }) => [name, number(bytesPerRequest)]),
    ),
  ].join('\n\n');
}

export function renderMethod(
  { args, unavailable, failed, seconds, rounds, versions },
  machine,
  { tool, method },
) {
  const lines = [
    `One core for the server and its children (\`taskset -c\`), one for ${tool} with one thread. Servers of a model are started together; all but the one that is measured are stopped (SIGSTOP). ${rounds} rounds of at least ${seconds} s, servers in turn within each round; medians, and in brackets the smallest and largest. Ratios are those of runs in the same round.`,
    ...method,
    "CPU a request: user and system time of the server's processes over the run, divided by the requests answered, whatever else the process did. PSS: right after the run.",
    ...unavailable.map(({ server, reason }) => `Not measured: ${server} (${reason.split('\n')[0]}).`),
    ...failed.map(
      ({ server, model, reason }) => `${server} did not serve ${model}: ${reason.split('\n')[0]}`,
    ),
    `Python packages: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `Load average before the start: ${machine.loadAverageBefore.toFixed(2)}. Flags: ${args.length === 0 ? 'none' : args.join(' ')}. The raw numbers stand beside this page.`,
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}
