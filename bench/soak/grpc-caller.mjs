import { createGrpcClient } from '../../dist/client/client.js';
import { bytesOf } from './subjects.mjs';

const LOST_AFTER_MS = 60_000;

/** A client over gRPC: calls share a connection with those of others that have the same. */
export function createGrpcCaller({ connection, ledger }) {
  return {
    async call(request) {
      const { number, model, inputs, parameters, kind, stayMs } = request;
      const isLeaving = kind === 'cancel' || kind === 'half';
      const leaving = new AbortController();
      const timer = isLeaving ? setTimeout(() => leaving.abort(), stayMs) : undefined;
      const outcome = await connection.client
        .infer({ id: String(number), model, inputs, parameters, signal: leaving.signal })
        .then(
          ({ id, outputs }) => ({
            answer: { id, outputs: outputs.map(({ name, data }) => ({ name, bytes: bytesOf(data) })) },
          }),
          (error) => ({ code: error.code ?? error.message }),
        );
      clearTimeout(timer);
      // What came before it had left is as good as any other answer.
      if (isLeaving && outcome.code === 'CANCELLED') ledger.abandoned(request);
      else ledger.settle(request, outcome);
    },
    hangUp: () => connection.hangUp(),
  };
}

/** A connection for several callers, opened when it is needed. */
export function createGrpcConnection(port) {
  let client;
  return {
    get client() {
      client ??= createGrpcClient({
        ...{ url: `grpc://127.0.0.1:${port}`, timeoutMs: LOST_AFTER_MS },
        retry: { attempts: 1 },
      });
      return client;
    },
    async hangUp() {
      const closing = client;
      client = undefined;
      await closing?.close();
    },
  };
}
