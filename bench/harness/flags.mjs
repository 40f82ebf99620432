import { parseArgs } from 'node:util';
import { defaultsOf, SUITES } from './suites.mjs';

const HELP = `npm run bench -- [flags]

  --suite name         http: JSON and binary bodies beside FastAPI and others (the default);
                       grpc: gRPC and HTTP with raw tensors beside grpc.aio, Triton and MLServer;
                       batching: closed and open loop, overload, and fixed batch sizes and windows;
                       limits: how near to the engine, bare sockets and writers it comes, in parts
  --quick              one short round of a few scenarios: shows that everything works, not how fast it is
  --models a,b         default: all of the suite, see harness/models.mjs
  --peers a,b          of fastapi, litserve, mlserver (http), triton, mlserver (grpc), litserve, bentoml, mlserver,
                       triton (batching); default: all that install.
                       FastAPI and grpc.aio are always measured
  --encodings a,b      http: of json, binary
  --scenarios a,b      batching: of open, overload, grid; what they need of the closed loop is always measured
  --only a,b           limits: of its parts: tiny, own-cost, node-http, compute, json-in, json-out, grpc, weights,
                       start, flat
  --requests n         limits: of the part flat. Default 10000000
  --concurrency 1,64   requests in flight; default 1,8,64,256 (http, batching), 1,8,64 (grpc)
  --seconds n          length of one run, in whole seconds; longer where requests wait long. Default 1 (http), 2 (grpc, limits);
                       batching: of an open-loop run, longer where requests are few. Default 1.5
  --rounds n           runs of each server in each scenario, interleaved. Default 3 (http), 5 (grpc, limits), 1 (batching)
  --label name         goes into the names of the result files. Default: the machine's name
  --no-profile         leave out where the time goes
  --server-core n      default 0
  --load-core n        default 1
  --out folder         default bench/results
`;

/** The flags of `npm run bench`, checked. Prints the help and ends the process where it is asked for. */
export function readFlags(argv, hostname) {
  const { values } = parseArgs({
    args: argv,
    options: {
      suite: { type: 'string', default: 'http' },
      quick: { type: 'boolean', default: false },
      models: { type: 'string' },
      peers: { type: 'string' },
      encodings: { type: 'string' },
      scenarios: { type: 'string' },
      only: { type: 'string' },
      requests: { type: 'string' },
      concurrency: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      label: { type: 'string' },
      'no-profile': { type: 'boolean', default: false },
      'server-core': { type: 'string', default: '0' },
      'load-core': { type: 'string', default: '1' },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { quick, suite } = values;
  if (SUITES[suite] === undefined) {
    throw new Error(`no suite '${suite}'; there are ${Object.keys(SUITES).join(', ')}`);
  }
  const defaults = defaultsOf(suite, quick);
  return {
    ...{ quick, suite },
    models: values.models?.split(',') ?? defaults.models,
    peers: values.peers?.split(',') ?? defaults.peers,
    encodings: values.encodings?.split(',') ?? defaults.encodings,
    concurrencies: (values.concurrency ?? defaults.concurrencies).split(',').map(toPositive),
    scenarios: values.scenarios?.split(',') ?? defaults.scenarios,
    only: values.only?.split(','),
    requests: toPositive(values.requests ?? defaults.requests ?? 1),
    seconds: toPositive(values.seconds ?? defaults.seconds),
    rounds: toPositive(values.rounds ?? defaults.rounds),
    label: values.label ?? labelOf(suite, quick ? 'quick' : hostname),
    profile: !values['no-profile'],
    serverCore: values['server-core'],
    loadCore: values['load-core'],
    out: values.out,
  };
}

function labelOf(suite, name) {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return suite === 'http' ? plain : `${plain}-${suite}`;
}

function toPositive(text) {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`expected a number above 0, got '${text}'`);
}
