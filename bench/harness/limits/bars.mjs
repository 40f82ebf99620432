import { flatMib } from '../../soak/judge.mjs';
import { median, ratios } from '../statistics.mjs';
import { differenceBetween, differences, judge, judgeTimes, noiseBetween } from './verdict.mjs';

/** In flight where bars are read, unless they name others. */
const AT = 64;
const GRPC_IN_FLIGHT = [1, 8, 64];
/** FastAPI is written either way. */
const FASTAPIS = [
  ['fastapi', 'at its leanest'],
  ['fastapi-documented', 'as documented'],
];
const GRPC_BARS = [
  ['linear16', 5],
  ['pixels', 2],
];
/** Of the file's size: what three more runs at once may take. A second copy of the weights would take all of it. */
const LESS_THAN_A_COPY = 0.5;
/** Fewer looks at memory say nothing of its growth: in its first seconds a process fills its pools and caches. */
const FEWEST_SAMPLES = 30;
const MEGABYTE = 1e6;

/** The bars of the suite `limits`, each with what was measured; those of parts that were left out are not measured. */
export function judgeLimits({ parts }) {
  const part = (name) => parts.find((one) => one.name === name);
  return [
    ...timesFastApi(part('tiny'), 'own_iris_rf', 'binary', 15),
    ...timesFastApi(part('tiny'), 'own_iris_rf', 'json', 12),
    ...ownCost(part('own-cost')),
    ...aboveNothing(part('node-http')),
    ...computeBound(part('compute')),
    ...timesFastApi(part('json-in'), 'pixels', 'json', 4),
    ...jsonOut(part('json-out')),
    ...timesGrpcAio(part('grpc')),
    ...weights(part('weights')),
    ...aboveBareNode(part('start')),
    ...flat(part('flat')),
  ];
}

function timesFastApi(part, model, encoding, bar) {
  const of = runsOf(part, { model, encoding, connections: AT });
  return FASTAPIS.map(([server, which]) =>
    judgeTimes({
      what: `${model}, ${encoding}: requests/s, times FastAPI ${which}`,
      ...{ bar, ours: of('nimify'), again: of('nimify-again'), theirs: of(server) },
    }),
  );
}

function ownCost(part) {
  const of = runsOf(part, { connections: AT });
  const noise = differenceBetween(cpu(of('nimify-unbatched')), cpu(of('nimify-unbatched-again')));
  const above = (server, floor, what, bar) =>
    judge({
      what: `own_iris_rf, binary, batching off: CPU a request, ${what}${noise === undefined ? '' : ` (A/A ${noise.toFixed(1)} µs)`}`,
      ...{ unit: 'µs', sign: '<=', bar, values: differences(cpu(of(server)), cpu(of(floor))) },
    });
  return [
    above('nimify-unbatched', 'floor-tcp-run', 'own reader, above bare node:net + session.run', 8),
    above(
      'nimify-unbatched-node',
      'floor-http-run',
      '--http-reader node, above bare node:http + session.run',
      12,
    ),
    above('nimify-unbatched', 'floor-http-run', 'own reader, above bare node:http + session.run', 12),
  ];
}

function aboveNothing(part) {
  const of = runsOf(part, { connections: AT });
  return [
    judgeTimes({
      what: 'mlp784, binary: requests/s, times bare node:http that answers nothing',
      ...{ bar: 1, ours: of('nimify'), again: of('nimify-again'), theirs: of('floor-http-empty') },
    }),
  ];
}

/**
 * With n in flight and one core, the mean time is n divided by what is answered (Little's law), so at the engine's best
 * rate n times its best time a row; first in, first out gives every request that mean.
 */
function computeBound(part) {
  return ['encoder', 'resnet18'].flatMap((model) => {
    const of = runsOf(part, { model, connections: AT });
    const bare = (part?.raw ?? []).filter((one) => one.model === model);
    const idealUs = bare.map(({ perSecond }) => (AT * 1e6) / perSecond);
    const p99Us = (server) => of(server).map((run) => run.p99Us);
    const noise = noiseBetween(p99Us('nimify'), p99Us('nimify-again'));
    const [{ rows, threads } = {}] = bare;
    const best = rows === undefined ? '' : ` (${rows} rows, ${threads} thread${threads === 1 ? '' : 's'})`;
    return [
      judgeTimes({
        what: `${model}, binary: requests/s, share of the bare engine at its best${best}`,
        ...{ bar: 0.97, ours: of('nimify'), again: of('nimify-again'), theirs: bare },
      }),
      judge({
        what: `${model}, binary: p99 with ${AT} in flight, times ${AT} rows of the bare engine at its best${noise === undefined ? '' : ` (A/A ${noise.toFixed(2)} x)`}`,
        ...{ unit: 'x', sign: '<=', bar: 1.2, values: ratios(p99Us('nimify'), idealUs) },
      }),
    ];
  });
}

function jsonOut(part) {
  const written = part?.written ?? [];
  const names = [...new Set(written.map(({ distribution }) => distribution))];
  return (names.length === 0 ? ['any'] : names).map((name) => {
    const of = (writer) =>
      written.filter((one) => one.distribution === name && one.writer === writer).map(({ cpuUs }) => cpuUs);
    const noise = noiseBetween(of('nimify'), of('nimify-again'));
    return judge({
      what: `100k FP32 as JSON, ${name}: speed by CPU time, times orjson${noise === undefined ? '' : ` (A/A ${noise.toFixed(2)} x)`}`,
      ...{ unit: 'x', sign: '>=', bar: 1, values: ratios(of('orjson'), of('nimify')) },
    });
  });
}

function timesGrpcAio(part) {
  return GRPC_BARS.flatMap(([model, bar]) =>
    GRPC_IN_FLIGHT.map((connections) => {
      const of = runsOf(part, { model, connections });
      return judgeTimes({
        what: `${model}, ${connections} in flight: requests/s over gRPC, times grpc.aio`,
        ...{ bar, ours: of('nimify-grpc'), again: of('nimify-grpc-again'), theirs: of('grpc-aio') },
        isBusy: connections > 1,
      });
    }),
  );
}

function weights(part) {
  const memory = part?.memory ?? [];
  const asked = [...new Set(memory.map((one) => one.asked))];
  return (asked.length === 0 ? ['auto'] : asked).map((host) => {
    const of = (isMany) =>
      memory.filter((one) => one.asked === host && one.atOnce > 1 === isMany && one.failed === 0);
    const grown = differences(
      of(true).map(({ pssBytes }) => pssBytes),
      of(false).map(({ pssBytes }) => pssBytes),
    ).map((bytes, round) => bytes / of(true)[round].fileBytes);
    return judge({
      what: `encoder, host ${host}: memory (PSS) that 3 more runs at once take, share of the file`,
      ...{ unit: 'x', sign: '<=', bar: LESS_THAN_A_COPY, values: grown },
      // How the other ways fare is no bar of nimify's.
      isBar: host !== 'thread',
    });
  });
}

function aboveBareNode(part) {
  const startUps = part?.startUps ?? [];
  const of = (model, server, field) =>
    startUps.filter((one) => one.model === model && one.server === server).map((one) => one[field]);
  const above = (model, field, scale, told) => {
    const [ours, again, floor] = ['nimify', 'nimify-again', 'node-http'].map((server) =>
      of(model, server, field).map((value) => value / scale),
    );
    const noise = differenceBetween(ours, again);
    const aside = noise === undefined ? '' : ` (A/A ${noise.toFixed(1)} ${told.unit})`;
    const values = floor.length === 0 ? [] : ours.map((value) => value - median(floor));
    return judge({ ...told, what: `${model}: ${told.what}${aside}`, sign: '<=', values });
  };
  const held = 'idle memory (PSS), above node:http + ONNX Runtime';
  const started = 'process start to first answer, above node:http + ONNX Runtime';
  return [
    above('own_iris_rf', 'idlePssBytes', MEGABYTE, { what: held, unit: 'MB', bar: 15 }),
    ...['own_iris_rf', 'encoder'].map((model) =>
      above(model, 'firstAnswerMs', 1, { what: started, unit: 'ms', bar: 40 }),
    ),
  ];
}

function flat(part) {
  const { samples = [], requests = 0 } = part?.flat ?? {};
  const third = Math.floor(samples.length / 3);
  const of = (from, to) => median(samples.slice(from, to).map(({ rssBytes }) => rssBytes / 2 ** 20));
  const isEnough = samples.length >= FEWEST_SAMPLES;
  const before = isEnough ? of(third, 2 * third) : 0;
  const growth = isEnough ? [of(-third) - before] : [];
  const many = requests === 0 ? 'many' : requests.toLocaleString('en');
  const from = !isEnough ? '' : `, from ${before.toFixed(0)} MiB`;
  return [
    judge({
      what: `${many} requests: growth of resident memory from the second third to the last${from}`,
      ...{ unit: 'MiB', sign: '<=', bar: Number((flatMib(before) - before).toFixed(1)), values: growth },
    }),
  ];
}

/** `of(server)`: its runs without a failure. */
function runsOf(part, wanted) {
  const runs = (part?.runs ?? []).filter((run) =>
    Object.entries(wanted).every(([field, value]) => run[field] === value),
  );
  return (server) => runs.filter((run) => run.server === server && run.failed === 0);
}

function cpu(runs) {
  return runs.map((run) => run.cpuUsPerRequest);
}
