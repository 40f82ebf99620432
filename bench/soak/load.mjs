import { setTimeout as sleep } from 'node:timers/promises';
import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { createGrpcCaller, createGrpcConnection } from './grpc-caller.mjs';
import { createHttpCaller } from './http-caller.mjs';
import { createRequests } from './requests.mjs';

/** Clients that ask at once, one after the other; then all pause. */
const LEVELS = [8, 64, 160, 24];
const MOST_CLIENTS = Math.max(...LEVELS);
/** Of the clients: over gRPC, so many on one connection. */
const GRPC_EVERY = 4;
const CLIENTS_A_CONNECTION = 8;
/** Numbers of one client's requests are its own. */
const NUMBERS_A_CLIENT = 1e9;

/** Clients of two protocols, each with one request at a time, in cycles of several levels of load and a pause. */
export function createLoad({ subjects, ledger, seed, port, grpcPort }) {
  const connections = Array.from(
    { length: Math.ceil(MOST_CLIENTS / GRPC_EVERY / CLIENTS_A_CONNECTION) },
    () => createGrpcConnection(grpcPort),
  );
  const clients = Array.from({ length: MOST_CLIENTS }, (_, at) => {
    const overGrpc = at % GRPC_EVERY === 0;
    const connection = connections[Math.floor(at / GRPC_EVERY / CLIENTS_A_CONNECTION)];
    const caller = overGrpc ? createGrpcCaller({ connection, ledger }) : createHttpCaller({ port, ledger });
    const random = createSeededRandom(seed * MOST_CLIENTS + at);
    const next = createRequests(subjects, random, at * NUMBERS_A_CLIENT);
    return { caller, next: () => next({ overGrpc }) };
  });

  async function ask({ caller, next }, untilMs) {
    while (performance.now() < untilMs) {
      const request = next();
      ledger.sent();
      await caller.call(request);
    }
  }

  return {
    /** Every level for its share of the time; returns when each request has its end and every connection is closed. */
    async cycle(ms) {
      for (const level of LEVELS) {
        const untilMs = performance.now() + ms / LEVELS.length;
        await Promise.all(clients.slice(0, level).map((client) => ask(client, untilMs)));
      }
      await Promise.all(clients.map(({ caller }) => caller.hangUp()));
      await sleep(0);
    },
  };
}
