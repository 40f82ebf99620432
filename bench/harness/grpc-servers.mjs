import { mkdirSync } from 'node:fs';
import { elementsOfBare, elementsOfBinary, elementsOfGrpc } from './answers.mjs';
import { bareBody, binaryBody } from './bodies.mjs';
import { freePort } from './free-port.mjs';
import { grpcBody } from './grpc-bodies.mjs';
import { mlserverFolder, nimifyArgs } from './servers.mjs';

/**
 * The servers of the suite `grpc`: all take the same tensors as raw bytes, over gRPC (`raw_input_contents`) or, where
 * the name ends in -http, over HTTP with the binary tensor data extension, which MLServer does not read. All use one
 * thread for a run. The floors run none: they are what the transport alone takes.
 */
export function grpcServersFor({ root, cache, python, mlserverPython, tritonPython }) {
  const peers = `${root}/bench/peers`;
  const nimify = ({ path }, httpPort, grpcPort) => ({
    command: process.execPath,
    args: nimifyArgs({ root, path, httpPort, grpcPort }),
  });
  const overGrpc = {
    encodings: ['raw'],
    start: async (model, port) => nimify(model, await freePort(), port),
    request: grpcRequest,
  };
  const triton = async ({ path }, port, grpcPort) => ({
    command: tritonPython,
    args: [`${peers}/triton_server.py`],
    env: { MODEL: path, PORT: port, GRPC_PORT: grpcPort, FOLDER: folderFor(cache, `triton-${port}`) },
  });
  const mlserver = async ({ path }, port, grpcPort) => ({
    command: mlserverPython,
    args: [
      ...['-c', 'from mlserver.cli import main; main()', 'start'],
      await mlserverFolder(cache, port, grpcPort),
    ],
    env: { MODEL: path, PYTHONPATH: peers },
  });
  return [
    { name: 'nimify', ...overGrpc },
    {
      name: 'grpc-aio',
      encodings: ['raw'],
      start: ({ path }, port) => ({
        command: python,
        args: [`${peers}/grpc_aio_server.py`],
        env: { MODEL: path, PORT: String(port), PYTHONPATH: `${cache}/proto` },
      }),
      request: grpcRequest,
    },
    // The same as the first: what the two differ by is what a ratio must exceed to mean anything.
    { name: 'nimify-again', ...overGrpc },
    {
      name: 'nimify-http',
      encodings: ['raw'],
      start: async (model, port) => nimify(model, port, await freePort()),
      request: httpRequest,
    },
    {
      name: 'grpc-js',
      encodings: ['raw'],
      start: ({ path }, port) => ({
        command: process.execPath,
        args: [`${peers}/grpc-js-server.mjs`],
        env: { MODEL: path, PORT: String(port) },
      }),
      request: grpcRequest,
    },
    {
      name: 'floor-http2',
      encodings: ['raw'],
      start: ({ path }, port) => floor(`${peers}/floor-http2.mjs`, path, port),
      request: grpcRequest,
    },
    {
      name: 'floor-tcp',
      encodings: ['raw'],
      start: ({ path }, port) => floor(`${peers}/floor-tcp.mjs`, path, port),
      request: bareRequest,
    },
    {
      name: 'triton',
      encodings: ['raw'],
      start: async (model, port) => triton(model, String(await freePort()), String(port)),
      request: grpcRequest,
    },
    {
      name: 'triton-http',
      encodings: ['raw'],
      start: async (model, port) => triton(model, String(port), String(await freePort())),
      request: httpRequest,
    },
    {
      name: 'mlserver',
      encodings: ['raw'],
      start: async (model, port) => mlserver(model, await freePort(), port),
      request: grpcRequest,
    },
  ];
}

function grpcRequest(model) {
  return {
    path: '/inference.GRPCInferenceService/ModelInfer',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: grpcBody(model),
    read: elementsOfGrpc,
    tool: 'h2load',
    isGrpc: true,
  };
}

function httpRequest(model) {
  const { body, headerLength } = binaryBody(model);
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(headerLength),
  };
  return { path: '/v2/models/m/infer', headers, body, read: elementsOfBinary, tool: 'h2load', isGrpc: false };
}

/** The tensor's bytes and nothing else. */
function bareRequest(model) {
  const headers = { 'content-type': 'application/octet-stream' };
  return { path: '/', headers, body: bareBody(model), read: elementsOfBare, tool: 'h2load', isGrpc: false };
}

function floor(script, path, port) {
  return { command: process.execPath, args: [script], env: { MODEL: path, PORT: String(port) } };
}

function folderFor(cache, name) {
  const folder = `${cache}/${name}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}
