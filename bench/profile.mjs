/**
 * Where the time of a request goes: nimify under V8's sampling profiler and under load, for one scenario.
 *
 *   node bench/profile.mjs [--suite grpc] [--model mlp784] [--encoding binary] [--connections 64] [--seconds 5] [--root checkout]
 */
import { parseArgs } from 'node:util';
import { findModels } from './harness/models.mjs';
import { CACHE, places, ROOT } from './harness/places.mjs';
import { profileServer } from './harness/profile-server.mjs';
import { SUITES } from './harness/suites.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'own_iris_rf' },
    suite: { type: 'string', default: 'http' },
    encoding: { type: 'string' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    server: { type: 'string', default: 'nimify' },
    root: { type: 'string', default: ROOT },
    functions: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});

const [model] = findModels([values.model], places());
if (model.missing) throw new Error(`${model.path} is not there; npm run bench -- --quick builds it`);
const { full, serversFor } = SUITES[values.suite];
const encoding = values.encoding ?? full.encodings.at(-1);
const server = serversFor({ root: values.root, cache: CACHE }).find(({ name }) => name === values.server);
const profile = await profileServer(server, model, encoding, {
  root: values.root,
  cache: CACHE,
  connections: Number(values.connections),
  seconds: Number(values.seconds),
  serverCore: '0',
  loadCore: '1',
});

if (values.json) console.log(JSON.stringify(profile, undefined, 2));
else print(profile);

function print({ areas, top, allocations, requests, cpuUsPerRequest, mainThreadUsPerRequest, ...rest }) {
  console.log(`${model.name}, ${encoding}, ${values.connections} connections: ${requests} requests`);
  console.log(
    `${cpuUsPerRequest.toFixed(1)} µs CPU a request, ${mainThreadUsPerRequest.toFixed(1)} of it on the main thread, ${Math.round(rest.perSecond)} requests/s`,
  );
  console.log(
    `${Math.round(rest.heapBytesPerRequest)} heap bytes a request; ${rest.gcUsPerRequest.toFixed(1)} µs a request in collections: ${JSON.stringify(rest.collections)}`,
  );
  for (const list of [areas, top.slice(0, Number(values.functions))]) {
    console.log();
    for (const { name, usPerRequest, share } of list) {
      console.log(
        `${usPerRequest.toFixed(2).padStart(8)} µs ${(share * 100).toFixed(1).padStart(5)} %  ${name}`,
      );
    }
  }
  console.log();
  for (const { name, bytesPerRequest } of allocations) {
    console.log(`${Math.round(bytesPerRequest).toString().padStart(8)} bytes  ${name}`);
  }
}
