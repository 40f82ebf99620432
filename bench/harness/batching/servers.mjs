import { mkdirSync } from 'node:fs';
import { elementsOfJson } from '../answers.mjs';
import { jsonBody } from '../bodies.mjs';
import { freePort } from '../free-port.mjs';
import { mlserverFolder, nimifyArgs, serversFor } from '../servers.mjs';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Most rows of a batch, where a server wants to be told: it must not be what a peer is slow by. */
const MAX_BATCH = '32';
/** For how long a batch is filled, where a server has no rule for it: long against a small run, short against a large. */
const WINDOW_S = '0.002';
/** Of BentoML, where nothing else is known. */
const BENTOML_LATENCY_MS = 60_000;

/** What nobody can refuse sooner than; see bench/peers/floor-refusals.mjs. Offered what nimify is. */
export function floorOfRefusals(root, nimify) {
  return {
    ...{ name: 'floor-refusals', family: nimify.name, encodings: ['json'], request: nimify.request },
    start: ({ path }, port) => ({
      command: process.execPath,
      args: [`${root}/bench/peers/floor-refusals.mjs`],
      env: { MODEL: path, PORT: String(port) },
    }),
  };
}

/**
 * The servers of the suite `batching`, all over HTTP with JSON of one row. `start(model, port, { objectiveMs })`: only
 * some can be told an objective, those with `takesObjective`. Servers of one `family` are offered the same rates.
 */
export function batchingServersFor({ root, cache, python, mlserverPython, tritonPython, bentomlPython }) {
  const peers = `${root}/bench/peers`;
  const plain = serversFor({ root, cache, python, mlserverPython });
  const named = (name) => plain.find((server) => server.name === name);
  const oip = (model) => ({
    path: '/v2/models/m/infer',
    headers: JSON_TYPE,
    body: jsonBody(model),
    read: elementsOfJson,
  });
  return [
    nimifyWith({ root, name: 'nimify', flags: [] }),
    nimifyWith({ root, name: 'nimify-unbatched', flags: ['--batching', 'off'] }),
    { ...named('fastapi'), encodings: ['json'] },
    {
      ...named('litserve'),
      async start(model, port) {
        const started = named('litserve').start(model, port);
        return { ...started, env: { ...started.env, MAX_BATCH, BATCH_TIMEOUT_S: WINDOW_S } };
      },
    },
    {
      name: 'bentoml',
      encodings: ['json'],
      takesObjective: true,
      start: ({ path }, port, { objectiveMs } = {}) => ({
        command: bentomlPython,
        args: [
          ...['-m', 'bentoml', 'serve', 'bentoml_server:Onnx'],
          ...['--host', '127.0.0.1', '--port', String(port)],
        ],
        cwd: peers,
        env: {
          ...{ MODEL: path, MAX_BATCH, BENTOML_DO_NOT_TRACK: 'True' },
          MAX_LATENCY_MS: String(Math.ceil(objectiveMs ?? BENTOML_LATENCY_MS)),
          BENTOML_HOME: folderFor(cache, 'bentoml'),
        },
      }),
      request: (model) => ({
        path: '/infer',
        headers: JSON_TYPE,
        body: rowsBody(model),
        read: (body) => Float64Array.from(JSON.parse(body.toString()).flat(9)),
      }),
    },
    {
      ...named('mlserver'),
      async start({ path }, port) {
        const settings = { max_batch_size: Number(MAX_BATCH), max_batch_time: Number(WINDOW_S) };
        const folder = await mlserverFolder(cache, port, await freePort(), settings);
        return {
          command: mlserverPython,
          args: ['-c', 'from mlserver.cli import main; main()', 'start', folder],
          env: { MODEL: path, PYTHONPATH: peers },
        };
      },
    },
    {
      name: 'triton',
      encodings: ['json'],
      start: async ({ path }, port) => ({
        command: tritonPython,
        args: [`${peers}/triton_server.py`],
        env: {
          ...{ MODEL: path, MAX_BATCH, PORT: String(port), GRPC_PORT: String(await freePort()) },
          FOLDER: folderFor(cache, `triton-${port}`),
        },
      }),
      request: oip,
    },
  ];
}

/** nimify with settings of its own. `family`: whose peak its rates are shares of; its own by default. */
export function nimifyWith({ root, name, flags, family = name }) {
  return {
    ...{ name, family, encodings: ['json'], takesObjective: true },
    start: ({ path }, port, { objectiveMs } = {}) => ({
      command: process.execPath,
      args: [
        ...nimifyArgs({ root, path, httpPort: port, grpcPort: 0 }),
        ...flags,
        ...(objectiveMs === undefined ? [] : ['--objective', `${objectiveMs.toFixed(3)}ms`]),
      ],
    }),
    request: (model) => ({
      path: '/v2/models/m/infer',
      headers: JSON_TYPE,
      body: jsonBody(model),
      read: elementsOfJson,
    }),
  };
}

/** BentoML's batchable APIs take one array: inputs of one shape stand beside each other in each row. */
function rowsBody({ inputs }) {
  const texts = inputs.map(({ data, text }) => Array.from(data, (_, index) => text(index)));
  const shapes = inputs.map(({ shape }) => shape.slice(1));
  const rows = texts.map((elements, at) => nested(elements, shapes[at]));
  return Buffer.from(`{"rows":[${rows.length === 1 ? rows[0] : `[${rows}]`}]}`);
}

function nested(elements, [dimension, ...rest]) {
  if (dimension === undefined) return elements[0];
  const size = elements.length / dimension;
  const parts = Array.from({ length: dimension }, (_, at) =>
    nested(elements.slice(at * size, (at + 1) * size), rest),
  );
  return `[${parts}]`;
}

function folderFor(cache, name) {
  const folder = `${cache}/${name}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}
