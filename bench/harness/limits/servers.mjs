import { grpcServersFor } from '../grpc-servers.mjs';
import { serversFor } from '../servers.mjs';

const UNBATCHED = ['--batching', 'off'];

/** The servers of the suite `limits`: nimify with several settings, its floors, and the peers that its bars name. */
export function limitsServersFor(given) {
  const { root } = given;
  const overHttp = serversFor(given);
  const overGrpc = grpcServersFor(given);
  const [nimify, nimifyGrpc] = [named(overHttp, 'nimify'), named(overGrpc, 'nimify')];
  const floor = (name, more = {}) => ({
    ...{ name, encodings: ['binary'], request: nimify.request },
    start: ({ path }, port) => ({
      command: process.execPath,
      args: [`${root}/bench/peers/${name}.mjs`],
      env: { MODEL: path, PORT: String(port) },
    }),
    ...more,
  });
  return [
    nimify,
    ...['nimify-again', 'fastapi', 'fastapi-documented', 'node-http'].map((name) => named(overHttp, name)),
    withFlags(nimify, 'nimify-unbatched', UNBATCHED),
    withFlags(nimify, 'nimify-unbatched-again', UNBATCHED),
    withFlags(nimify, 'nimify-unbatched-node', [...UNBATCHED, '--http-reader', 'node']),
    floor('floor-tcp-run'),
    floor('floor-http-run'),
    floor('floor-http-empty', { answersNothing: true }),
    { ...nimifyGrpc, name: 'nimify-grpc' },
    { ...nimifyGrpc, name: 'nimify-grpc-again' },
    named(overGrpc, 'grpc-aio'),
  ];
}

/** The same server with further flags. */
export function withFlags(server, name, flags) {
  return {
    ...{ ...server, name },
    async start(model, port) {
      const started = await server.start(model, port);
      return { ...started, args: [...started.args, ...flags] };
    },
  };
}

export function named(servers, name) {
  const found = servers.find((server) => server.name === name);
  if (found === undefined) throw new Error(`no server '${name}'`);
  return found;
}

/** Where nimify runs the model, and why, in its own words: from the model's metadata. */
export async function hostOf(port) {
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/m`);
  return (await response.json()).parameters?.host ?? 'unknown';
}
