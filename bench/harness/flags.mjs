import { parseArgs } from 'node:util';

const HELP = `npm run bench -- [flags]

  --quick              one short round of a few scenarios: shows that everything works, not how fast it is
  --models a,b         default: all of them, see harness/models.mjs
  --peers a,b          of fastapi, litserve, mlserver; default: all that install. FastAPI is always measured
  --encodings a,b      of json, binary
  --concurrency 1,64   connections that wrk keeps busy; default 1,8,64,256
  --seconds n          length of one run, in whole seconds; longer where requests wait long. Default 1
  --rounds n           runs of each server in each scenario, interleaved. Default 3
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
      quick: { type: 'boolean', default: false },
      models: { type: 'string' },
      peers: { type: 'string' },
      encodings: { type: 'string' },
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
  const { quick } = values;
  return {
    quick,
    models: values.models?.split(',') ?? (quick ? ['own_iris_rf', 'pixels'] : undefined),
    peers: values.peers?.split(',') ?? (quick ? ['fastapi'] : ['fastapi', 'litserve', 'mlserver']),
    encodings: values.encodings?.split(',') ?? ['json', 'binary'],
    concurrencies: (values.concurrency ?? (quick ? '64' : '1,8,64,256')).split(',').map(toPositive),
    seconds: toPositive(values.seconds ?? '1'),
    rounds: toPositive(values.rounds ?? (quick ? '1' : '3')),
    label: values.label ?? (quick ? 'quick' : hostname.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')),
    profile: !values['no-profile'],
    serverCore: values['server-core'],
    loadCore: values['load-core'],
    out: values.out,
  };
}

function toPositive(text) {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`expected a number above 0, got '${text}'`);
}
