import { measureFlat } from './flat.mjs';
import { measureJsonOut } from './json-out.mjs';
import { measureCompute, measureLoads } from './loads.mjs';
import { measureStarts } from './starts.mjs';
import { measureWeights } from './weights.mjs';

/**
 * What the suite `limits` measures, each part for bars of its own (`bars.mjs`); `--only` picks some. Parts under load have
 * models, encodings, requests in flight and servers, `ours` and `again` being the same server twice; `reference` is
 * what ratios in the tables are to.
 */
export const PARTS = [
  {
    name: 'tiny',
    about: 'A model that takes next to nothing, beside FastAPI.',
    measure: measureLoads,
    models: ['own_iris_rf'],
    encodings: ['binary', 'json'],
    servers: ['nimify', 'nimify-again', 'fastapi', 'fastapi-documented'],
    reference: 'fastapi',
  },
  {
    name: 'own-cost',
    about:
      'CPU time of a request, batching off, above floors that read the same bytes, run the model by the add-on beneath onnxruntime-node and answer the same bytes, and check nothing: on bare node:net beside the reader of our own, on bare node:http beside `--http-reader node`.',
    measure: measureLoads,
    models: ['own_iris_rf'],
    encodings: ['binary'],
    servers: [
      ...['nimify-unbatched', 'nimify-unbatched-again', 'nimify-unbatched-node'],
      ...['floor-tcp-run', 'floor-http-run'],
    ],
    ours: 'nimify-unbatched',
    reference: 'floor-tcp-run',
  },
  {
    name: 'node-http',
    about: 'A small network, beside node:http that reads the same bytes, runs nothing and answers nothing.',
    measure: measureLoads,
    models: ['mlp784'],
    encodings: ['binary'],
    servers: ['nimify', 'nimify-again', 'floor-http-empty'],
    reference: 'floor-http-empty',
  },
  {
    name: 'compute',
    about:
      'Models whose runs take long, beside the bare engine on the same core with the size of batches and the threads at which it is fastest.',
    measure: measureCompute,
    models: ['encoder', 'resnet18'],
    tool: 'closed-loop',
    seconds: 4,
    encodings: ['binary'],
    servers: ['nimify', 'nimify-again'],
    reference: 'nimify',
  },
  {
    name: 'json-in',
    about: '150 528 numbers as JSON, beside FastAPI.',
    measure: measureLoads,
    models: ['pixels'],
    encodings: ['json'],
    servers: ['nimify', 'nimify-again', 'fastapi', 'fastapi-documented'],
    reference: 'fastapi',
  },
  {
    name: 'json-out',
    about:
      '100 000 FP32 numbers written as JSON, in a process each and without a server: CPU time beside orjson, which writes a NumPy array.',
    measure: measureJsonOut,
  },
  {
    name: 'grpc',
    about: 'Raw tensors over gRPC, 16 floats and 602 KB, beside grpc.aio.',
    measure: measureLoads,
    models: ['linear16', 'pixels'],
    encodings: ['raw'],
    concurrencies: [1, 8, 64],
    servers: ['nimify-grpc', 'nimify-grpc-again', 'grpc-aio'],
    ours: 'nimify-grpc',
    reference: 'grpc-aio',
  },
  {
    name: 'weights',
    about:
      'Memory with four runs at once in one process and with one at a time, batching off: what it grows by beside the size of the file.',
    measure: measureWeights,
    models: ['encoder'],
  },
  {
    name: 'start',
    about: 'From the start of the process to the first answer, and memory at rest after it.',
    measure: measureStarts,
    models: ['own_iris_rf', 'encoder'],
    servers: ['nimify', 'nimify-again', 'node-http'],
  },
  {
    name: 'flat',
    about: 'Resident memory through many requests, JSON and binary in turn, looked at each second.',
    measure: measureFlat,
    models: ['own_iris_rf'],
  },
];

/** Runs the wanted parts: `results.parts` has what each gave, `results.runs` all that were under load. */
export async function measureLimits({ servers, models, options, results, say }) {
  const wanted = options.only ?? PARTS.map(({ name }) => name);
  for (const name of wanted) {
    if (PARTS.some((part) => part.name === name)) continue;
    throw new Error(`no part '${name}'; there are ${PARTS.map((part) => part.name).join(', ')}`);
  }
  results.parts = [];
  for (const part of PARTS.filter(({ name }) => wanted.includes(name))) {
    const from = performance.now();
    const context = {
      servers,
      models: models.filter(({ name }) => part.models?.includes(name)),
      ...{ options, say },
    };
    const { measure, ...told } = part;
    const measured = await measure(part, context);
    const tookSeconds = Math.round((performance.now() - from) / 1000);
    results.parts.push({ ...told, ...measured, tookSeconds });
    results.runs.push(...(measured.runs ?? []));
    results.failed.push(...(measured.failed ?? []));
    say(`${part.name} after ${tookSeconds} s`);
  }
}
