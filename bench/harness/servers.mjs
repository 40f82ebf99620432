import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { elementsOfBare, elementsOfBinary, elementsOfJson } from './answers.mjs';
import { bareBody, binaryBody, jsonBody } from './bodies.mjs';
import { freePort } from './free-port.mjs';

const JSON_TYPE = { 'content-type': 'application/json' };
const BARE_TYPE = { 'content-type': 'application/octet-stream' };

/**
 * Everything that can be measured. `start(model, port)` is the process to run; `request(model, encoding)` what to
 * ask it, and how to read its answer. All use one thread for a run: server and children have one core.
 */
export function serversFor({ root, cache, python, mlserverPython }) {
  const peers = `${root}/bench/peers`;
  const nimify = {
    encodings: ['json', 'binary'],
    start: ({ path }, port) => ({
      command: process.execPath,
      args: nimifyArgs({ root, path, httpPort: port, grpcPort: 0 }),
    }),
    request(model, encoding) {
      const path = '/v2/models/m/infer';
      if (encoding === 'json')
        return { path, headers: JSON_TYPE, body: jsonBody(model), read: elementsOfJson };
      const { body, headerLength } = binaryBody(model);
      const headers = { ...BARE_TYPE, 'inference-header-content-length': String(headerLength) };
      return { path, headers, body, read: elementsOfBinary };
    },
  };
  const uvicorn = (path, port, app) => ({
    command: python,
    args: [
      ...['-m', 'uvicorn', '--loop', 'uvloop', '--http', 'httptools', '--no-access-log'],
      ...['--log-level', 'warning', '--port', String(port), app],
    ],
    cwd: peers,
    env: { MODEL: path },
  });
  return [
    { name: 'nimify', ...nimify },
    {
      name: 'fastapi',
      encodings: ['json', 'binary'],
      start: ({ path }, port) => uvicorn(path, port, 'fastapi_server:app'),
      request: (model, encoding) => ({ path: '/infer', ...plainRequest(model, encoding) }),
    },
    {
      name: 'fastapi-documented',
      encodings: ['json', 'binary'],
      concurrencies: [1, 64],
      start: ({ path }, port) => uvicorn(path, port, 'fastapi_documented_server:app'),
      request: (model, encoding) => ({
        path: encoding === 'json' ? '/infer' : '/infer-binary',
        ...plainRequest(model, encoding),
      }),
    },
    // The same as the first: what the two differ by is what a ratio must exceed to mean anything.
    { name: 'nimify-again', ...nimify },
    {
      name: 'node-http',
      encodings: ['binary'],
      start: ({ path }, port) => ({
        command: process.execPath,
        args: [`${peers}/floor-http.mjs`],
        env: { MODEL: path, PORT: String(port) },
      }),
      request: (model) => ({ path: '/', headers: BARE_TYPE, body: bareBody(model), read: elementsOfBare }),
    },
    {
      name: 'litserve',
      encodings: ['json'],
      concurrencies: [1, 64],
      start: ({ path }, port) => ({
        command: python,
        args: [`${peers}/litserve_server.py`],
        env: { MODEL: path, PORT: String(port) },
      }),
      request: (model) => ({
        path: '/predict',
        headers: JSON_TYPE,
        body: jsonBody(model),
        read: elementsOfJson,
      }),
    },
    {
      name: 'mlserver',
      encodings: ['json'],
      concurrencies: [1, 64],
      start: async ({ path }, port) => ({
        command: mlserverPython,
        args: [
          '-c',
          'from mlserver.cli import main; main()',
          'start',
          await mlserverFolder(cache, port, await freePort()),
        ],
        env: { MODEL: path, PYTHONPATH: peers },
      }),
      request: (model) => ({
        path: '/v2/models/m/infer',
        headers: JSON_TYPE,
        body: jsonBody(model),
        read: elementsOfJson,
      }),
    },
  ];
}

/** The protocol's JSON, or nothing but the tensors' bytes. */
function plainRequest(model, encoding) {
  return encoding === 'json'
    ? { headers: JSON_TYPE, body: jsonBody(model), read: elementsOfJson }
    : { headers: BARE_TYPE, body: bareBody(model), read: elementsOfBare };
}

/** As the published command starts it; in a checkout that would first look whether dist/ is fresh. */
export function nimifyArgs({ root, path, httpPort, grpcPort }) {
  const threadPool = `${root}/bin/thread-pool.cjs`;
  const script = `${root}/dist/cli/launch.cjs`;
  return [
    // Older checkouts, which are measured beside newer ones, have neither.
    ...(existsSync(threadPool) ? ['--require', threadPool] : []),
    existsSync(script) ? script : `${root}/dist/cli/main.js`,
    ...['serve', path, '--model-name', 'm', '--log-level', 'error'],
    ...['--http-port', String(httpPort), '--metrics-port', '0', '--grpc-port', String(grpcPort)],
  ];
}

/** MLServer is set up by files. Inference stays in the server's own process, as in the others. */
export async function mlserverFolder(cache, port, grpcPort, modelSettings = {}) {
  const folder = `${cache}/mlserver-${port}`;
  mkdirSync(folder, { recursive: true });
  const settings = {
    ...{ host: '127.0.0.1', http_port: port, grpc_port: grpcPort, metrics_port: await freePort() },
    ...{ debug: false, parallel_workers: 0, metrics_endpoint: null },
  };
  writeFileSync(`${folder}/settings.json`, JSON.stringify(settings));
  const model = { name: 'm', implementation: 'mlserver_runtime.OnnxModel', ...modelSettings };
  writeFileSync(`${folder}/model-settings.json`, JSON.stringify(model));
  return folder;
}
