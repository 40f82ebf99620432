import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import { createFakeDeps, echo } from './fake-registry.ts';
import { openRaw, rawRequest } from './raw-client.ts';
import { createHttpServer, type HttpServer } from './server.ts';
import { cutSlowReaders } from './slow-readers.ts';

/** A socket of which `waiting` bytes have not been taken, of `written` in all. */
function fakeSocket(written: number, waiting: number) {
  return {
    bytesWritten: written,
    writableLength: waiting,
    isCut: false,
    destroy() {
      this.isCut = true;
    },
  };
}

function watch(...sockets: ReturnType<typeof fakeSocket>[]) {
  const clock = createFakeClock();
  const stop = cutSlowReaders(() => sockets as unknown as Socket[], { clock, sendTimeoutMs: 400 });
  return { clock, stop };
}

describe('cutSlowReaders', () => {
  it('cuts who takes nothing, from the first look that saw it on', () => {
    const stuck = fakeSocket(1000, 600);
    const { clock } = watch(stuck);
    clock.advance(499);
    expect(stuck.isCut).toBe(false);
    clock.advance(1);
    expect(stuck.isCut).toBe(true);
  });

  it('leaves alone who takes a little now and then, though ever more waits', () => {
    const slow = fakeSocket(1000, 600);
    const { clock } = watch(slow);
    for (let i = 0; i < 20; i += 1) {
      clock.advance(300);
      slow.bytesWritten += 500;
      slow.writableLength += 499;
    }
    expect(slow.isCut).toBe(false);
  });

  it('starts anew when all was taken in between', () => {
    const socket = fakeSocket(1000, 600);
    const { clock } = watch(socket);
    clock.advance(400);
    socket.writableLength = 0;
    clock.advance(100);
    Object.assign(socket, { bytesWritten: 1600, writableLength: 1200 });
    clock.advance(400);
    expect(socket.isCut).toBe(false);
    clock.advance(100);
    expect(socket.isCut).toBe(true);
  });

  it('has nothing against connections on which nothing waits', () => {
    const idle = fakeSocket(1000, 0);
    const { clock, stop } = watch(idle);
    clock.advance(10_000);
    expect(idle.isCut).toBe(false);
    stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a server', () => {
  let server: HttpServer | undefined;
  afterEach(() => server?.close({ graceMs: 0 }));

  it('cuts a client that does not read its answer, and frees the buffers of it', async () => {
    const clock = createFakeClock();
    const rows = 2 ** 20;
    let freed = 0;
    const model = {
      name: 'large',
      infer: async (request: Parameters<typeof echo>[0]) => {
        const response = echo(request, ROWS_OF_FOUR);
        const outputs = [
          {
            ...response.outputs[0]!,
            shape: [rows, 4],
            data: new Float32Array(rows * 4),
          },
        ];
        return {
          ...response,
          outputs,
          owner: {
            ...response.owner,
            release: () => {
              freed += 1;
              response.owner.release();
            },
          },
        };
      },
    };
    server = createHttpServer({ ...createFakeDeps([model]), clock });
    const { port } = await server.listen('127.0.0.1', 0);
    const body = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }],
      parameters: { binary_data_output: true },
    });
    const request = rawRequest(
      'POST',
      '/v2/models/large/infer',
      { 'content-type': 'application/json' },
      body,
    );
    const patient = await openRaw(port);
    const stuck = await openRaw(port);
    stuck.socket.pause();
    stuck.send(request);
    patient.send(request);
    const answer = await patient.next();
    expect(answer.status).toBe(200);
    expect(answer.body.byteLength).toBeGreaterThan(rows * 16);
    await expect.poll(() => freed).toBe(1);

    const cut = new Promise<void>((resolve) => stuck.socket.once('close', () => resolve()));
    await expect
      .poll(() => {
        clock.advance(7500);
        return freed;
      })
      .toBe(2);
    stuck.socket.resume();
    await cut;
    patient.send(rawRequest('GET', '/v2/health/live'));
    expect((await patient.next()).status).toBe(200);
  });
});
