import type { RequestContext } from '../../model/context.ts';
import type { InferRequest } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import type { HttpOptions } from './deps.ts';
import { createFakeDeps, echo, type FakeServedOptions } from './fake-registry.ts';
import { openRaw, rawRequest } from './raw-client.ts';
import { createHttpServer, type HttpServer } from './server.ts';

/** Test support: a real server of models that echo, a connection to it, and bodies for it. */

const servers: HttpServer[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
}

export const PAIR: Signature = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [2], dimensionNames: [undefined] },
    { name: 'b', datatype: 'INT64', shape: [2], dimensionNames: [undefined] },
  ],
  outputs: [
    { name: 'a2', datatype: 'FP32', shape: [2], dimensionNames: [undefined] },
    { name: 'b2', datatype: 'INT64', shape: [2], dimensionNames: [undefined] },
  ],
  batchAxis: 'none',
};

/** A server with models `rows` and `pair` that echo, and what they were asked. */
export async function serve(options: Partial<HttpOptions> = {}, more: readonly FakeServedOptions[] = []) {
  const asked: { request: InferRequest; context: RequestContext }[] = [];
  const recording =
    (signature: Signature): NonNullable<FakeServedOptions['infer']> =>
    async (request, context) => {
      asked.push({ request, context });
      return echo(request, signature);
    };
  const deps = createFakeDeps(
    [
      { name: 'rows', infer: recording(ROWS_OF_FOUR) },
      { name: 'pair', signature: PAIR, infer: recording(PAIR) },
      ...more,
    ],
    options,
  );
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  const client = await openRaw(port);
  /** Sends on one connection that is kept through the test: an error must not spoil what follows. */
  const post = (model: string, body: string | Uint8Array, headers: Record<string, string | number> = {}) => {
    client.send(
      rawRequest(
        'POST',
        `/v2/models/${model}/infer`,
        { 'content-type': 'application/json', ...headers },
        body,
      ),
    );
    return client.next();
  };
  return { deps, asked, post, client, port };
}

export function rowsBody(fields: Record<string, unknown> = {}, input: Record<string, unknown> = {}): string {
  const x = { name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4], ...input };
  return JSON.stringify({ inputs: [x], ...fields });
}

export function binaryBody(header: unknown, data: ArrayBufferView): { bytes: Buffer; length: number } {
  const json = Buffer.from(JSON.stringify(header));
  const tail = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { bytes: Buffer.concat([json, tail]), length: json.length };
}
