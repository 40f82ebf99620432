import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createBufferPool } from '../../../base/util/buffer-pool.ts';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import type { RequestContext } from '../../../model/context.ts';
import { ROWS_OF_FOUR } from '../../../registry/fake-served.ts';
import type { HttpOptions } from '../deps.ts';
import { createFakeDeps, echo, type FakeServedOptions } from '../fake-registry.ts';
import { openRaw, type RawAnswer, rawRequest } from '../raw-client.ts';
import { createReader, type Reader } from './reader.ts';

/** Test support: a reader without a server around it. */

/** The ways in which bytes come in: see `readDirectly`. */
export const WAYS = ['into memory of its own choice', "as Node's sockets do"] as const;

const open: { readonly server: Server; readonly reader: Reader }[] = [];

export function closeAll(): void {
  for (const { server, reader } of open.splice(0)) {
    reader.stop();
    reader.destroyAll();
    server.close();
  }
}

const KEEP_ALIVE_MS = 1000;
const POISON = 0x77;

/** A reader alone: what it hands over is noted and answered with a word. */
export async function readAlone(
  way: (typeof WAYS)[number],
  models: readonly FakeServedOptions[],
  options: Partial<HttpOptions> = {},
  isShort = () => false,
) {
  const clock = createFakeClock();
  const deps = { ...createFakeDeps(models, { receiveTimeoutMs: 400, ...options }), clock };
  const handed: Uint8Array[] = [];
  const handedOver = () => handed.map((bytes) => Buffer.from(bytes).toString('latin1'));
  const state = { draining: false, requests: 0 };
  // Whoever looks at a buffer after it was given back sees that.
  const onGive = (buffer: ArrayBuffer) => new Uint8Array(buffer).fill(POISON);
  const pool = createBufferPool({ clock, onGive, isShort });
  const reader = createReader(deps, {
    pool,
    keepAliveMs: KEEP_ALIVE_MS,
    checkIntervalMs: 100,
    isDraining: () => state.draining,
    onRequest() {
      state.requests += 1;
    },
    handOver(socket: Socket, bytes: Uint8Array) {
      handed.push(bytes);
      socket.end('handed over');
    },
  });
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (way === "as Node's sockets do") hideUserBuffer(socket);
    sockets.push(reader.take(socket));
  });
  open.push({ server, reader });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = () => openRaw((server.address() as AddressInfo).port);
  return { deps, clock, pool, reader, state, sockets, handedOver, client };
}

export function rows(count: number, fields: object = {}): string {
  const data = Array.from({ length: count * 4 }, (_, i) => i);
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 4], data }], ...fields });
}

export const ask = (model: string, body = rows(1), headers: Record<string, string> = {}) =>
  rawRequest('POST', `/v2/models/${model}/infer`, headers, body);

export const ROWS: FakeServedOptions = { name: 'rows' };
export const QUICK: FakeServedOptions = { name: 'quick', inferNow: (request) => echo(request, ROWS_OF_FOUR) };

/** A model that answers when told to. */
export function createHeld() {
  const waiting: { readonly context: RequestContext; answer(): void }[] = [];
  const model: FakeServedOptions = {
    name: 'held',
    infer: (request, context) =>
      new Promise((resolve) => waiting.push({ context, answer: () => resolve(echo(request, ROWS_OF_FOUR)) })),
  };
  return { model, waiting };
}

/** Lets the event loop go round, so that what was sent has been read. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

export function idOf(answer: RawAnswer): unknown {
  return (JSON.parse(answer.body.toString()) as { id?: unknown }).id;
}

/** As a version of Node would look like that does not let its sockets be read directly. */
function hideUserBuffer(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object };
  Object.defineProperty(handle, 'useUserBuffer', { value: undefined });
}
