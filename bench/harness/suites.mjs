import { judgeBars, noiseOf } from './bars.mjs';
import { judgeBatchingBars, noiseOfBatching } from './batching/bars.mjs';
import { measureBatching } from './batching/measure-batching.mjs';
import { renderBatching } from './batching/report.mjs';
import { batchingServersFor } from './batching/servers.mjs';
import { judgeGrpcBars } from './grpc-bars.mjs';
import { grpcServersFor } from './grpc-servers.mjs';
import { judgeLimits } from './limits/bars.mjs';
import { measureLimits } from './limits/parts.mjs';
import { noiseOfLimits, renderLimits } from './limits/report.mjs';
import { limitsServersFor } from './limits/servers.mjs';
import { measureModel } from './measure-model.mjs';
import { renderReport } from './report.mjs';
import { serversFor } from './servers.mjs';

const PACKAGES = ['fastapi', 'uvicorn', 'uvloop', 'httptools', 'orjson', 'numpy', 'onnxruntime', 'litserve'];

/**
 * What `npm run bench -- --suite` can name. `reference` is the server that ratios in the tables are to; `peers` may be
 * left out, and are where they do not install; `quick` and `full` are what is done where no flag says otherwise.
 */
export const SUITES = {
  http: {
    tool: 'wrk',
    serversFor,
    ...{ measureModel, judgeBars, noiseOf, renderReport },
    reference: 'fastapi',
    referenceLabel: 'FastAPI',
    always: ['nimify', 'fastapi', 'fastapi-documented', 'nimify-again', 'node-http'],
    peers: { litserve: 'litserve', mlserver: 'mlserver' },
    packages: PACKAGES,
    measuresStartUps: true,
    rawAt: 64,
    profiled: ['own_iris_rf', 'pixels'],
    full: {
      peers: ['fastapi', 'litserve', 'mlserver'],
      encodings: ['json', 'binary'],
      concurrencies: '1,8,64,256',
      seconds: '1',
      rounds: '3',
    },
    quick: { models: ['own_iris_rf', 'pixels'], peers: ['fastapi'], concurrencies: '64' },
    method: [
      "Every server's answer was compared with FastAPI's or nimify's before it was measured.",
      'JSON bodies are the same bytes for all. Binary: nimify speaks OIP with the binary tensor data extension, FastAPI and node-http take the bare bytes of the tensors, which is less work.',
      'node-http is bare node:http with onnxruntime-node: no checks, no errors, no features.',
    ],
  },
  grpc: {
    tool: 'h2load',
    needsMessages: true,
    serversFor: grpcServersFor,
    ...{ measureModel, judgeBars: judgeGrpcBars, noiseOf, renderReport },
    reference: 'grpc-aio',
    referenceLabel: 'grpc.aio',
    always: ['nimify', 'grpc-aio', 'nimify-again', 'nimify-http', 'grpc-js', 'floor-http2', 'floor-tcp'],
    peers: { triton: 'triton', 'triton-http': 'triton', mlserver: 'mlserver' },
    packages: ['grpcio', 'uvloop', 'protobuf', 'numpy', 'onnxruntime'],
    measuresStartUps: false,
    rawAt: 64,
    profiled: ['linear16', 'pixels'],
    full: {
      models: ['linear16', 'pixels'],
      peers: ['triton', 'mlserver'],
      encodings: ['raw'],
      concurrencies: '1,8,64',
      seconds: '2',
      rounds: '5',
    },
    quick: { peers: [], concurrencies: '8', seconds: '1' },
    method: [
      "Every server's answer was compared with nimify's before it was measured, and the length of every answer while it was.",
      'All take the same tensors as raw bytes: over gRPC as `raw_input_contents`, where the name ends in -http over HTTP/1.1 with the binary tensor data extension. gRPC calls in flight share one connection; HTTP has a connection for each. MLServer reads no binary tensors over HTTP.',
      "grpc-aio is Python's grpc.aio at its leanest: uvloop, nothing validated, the run on the event loop. grpc-js is @grpc/grpc-js with generated messages: no checks. triton is tritonserver as nvidia-pytriton ships it, its Python backend calling ONNX Runtime.",
      'floor-http2 is bare node:http2 and floor-tcp bare node:net: both wait for the last byte of a request and answer the same bytes each time, read no message and run no model. Nothing on Node can be faster than the second.',
    ],
  },
  batching: {
    tool: 'wrk',
    serversFor: batchingServersFor,
    measureModel: measureBatching,
    ...{ judgeBars: judgeBatchingBars, noiseOf: noiseOfBatching, renderReport: renderBatching },
    always: ['nimify', 'nimify-unbatched', 'fastapi'],
    peers: { litserve: 'litserve', bentoml: 'bentoml', mlserver: 'mlserver', triton: 'triton' },
    packages: PACKAGES,
    measuresStartUps: false,
    profiled: [],
    full: {
      models: ['own_iris_rf', 'mlp784', 'convnet', 'magika', 'encoder'],
      peers: ['litserve', 'bentoml', 'mlserver', 'triton'],
      encodings: ['json'],
      concurrencies: '1,8,64,256',
      scenarios: ['open', 'overload', 'grid'],
      seconds: '1.5',
      rounds: '1',
    },
    quick: { models: ['own_iris_rf', 'convnet'], peers: [], concurrencies: '1,64', seconds: '1' },
    method: [
      'All take JSON of one row over HTTP/1.1; BentoML, whose batchable APIs take one array, gets the numbers alone and answers with the last output.',
      "Closed loop: wrk keeps so many requests in flight. A server's peak is its best throughput there. Open loop: a client of our own sends at times that were fixed beforehand, whatever becomes of earlier requests, and counts latency from those times; rates are shares of the server's own peak.",
      'The objective is twice the p99 of nimify at half load with Poisson arrivals; nimify and BentoML are started with it. Goodput is what was answered within it; "own" means twice the server\'s own p99 at half of its own peak.',
      'FastAPI joins nothing: it is there at its leanest. LitServe and MLServer: at most 32 rows, filled for at most 2 ms. BentoML: at most 32, its latency goal the objective. triton: tritonserver as nvidia-pytriton ships it, max_batch_size 32 and `dynamic_batching {}`, as its guide starts out; its Python backend calls ONNX Runtime on the joined rows.',
      'nimify-unbatched is `--batching off`. Pairs such as 8@2ms are `--batching maxBatchSize=8,maxDelayMs=2`, measured in turn with nimify and nimify-again, all without an objective, at shares of the peak of nimify.',
    ],
  },
  limits: {
    tool: 'wrk',
    // For one of its parts.
    alsoNeeds: ['h2load'],
    needsMessages: true,
    serversFor: limitsServersFor,
    measureAll: measureLimits,
    judgeBars: judgeLimits,
    noiseOf: (_runs, results) => noiseOfLimits(results),
    renderReport: renderLimits,
    always: limitsServersFor({ root: '', cache: '' }).map(({ name }) => name),
    peers: {},
    packages: [...PACKAGES, 'grpcio', 'protobuf'],
    measuresStartUps: false,
    profiled: ['own_iris_rf'],
    profiledServer: 'nimify-unbatched',
    full: {
      models: ['own_iris_rf', 'linear16', 'mlp784', 'pixels', 'resnet18', 'encoder'],
      peers: [],
      encodings: ['binary'],
      concurrencies: '64',
      seconds: '2',
      rounds: '5',
      requests: '10000000',
    },
    quick: { seconds: '1', requests: '200000' },
    method: [
      "Every server's answer was compared with nimify's before it was measured; floor-http-empty answers nothing.",
      'fastapi is FastAPI at its leanest (uvicorn, uvloop, httptools, orjson, nothing validated, the run on the event loop), fastapi-documented as its documentation writes an endpoint that blocks; both run ONNX Runtime.',
      'floor-tcp-run and floor-http-run read the same requests as nimify, run the model through the add-on beneath onnxruntime-node, and answer the same bytes, down to the fields of the head.',
      'Requests/s are compared within a round. Where the result is no further from a bar than the same server measured twice (A/A) in the same round mostly differs, CPU time a request decides instead.',
      "The bare engine is tried with 1 to 32 rows a run and one thread, then with two threads at the size that takes least CPU time a row; the best of these runs in each round in turn with the servers. There a client of our own counts from the last answer of a ramp to the last of all, so that no batch is cut. The ideal wait is so many rows of it as there are requests in flight: by Little's law no mean is lower at that rate, and first in, first out gives each request the mean.",
      'weights: nimify with `--batching off --threads 1 --instances 1` or `4`, after a second with as many requests in flight. flat: resident memory each second; the median of the last third beside that of the second, flat where it grows by at most 5 % and 8 MiB, as in the soak.',
    ],
  },
};

/** What a run does by default. */
export function defaultsOf(suite, isQuick) {
  const { full, quick } = SUITES[suite];
  return isQuick ? { ...full, rounds: '1', ...quick } : full;
}
