/** Clients that take their answers slowly, or not at all. */
import { connect as connectTls } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTlsFixture, type TlsFixture } from '../../../test/support/tls-fixture.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createConnection } from './connection.ts';
import { DEFAULT_GRPC_OPTIONS } from './deps.ts';
import { type FakeServer, serveFake } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { ERROR, FLAG, FRAME, SETTING } from './http2/constants.ts';
import { connectFrames, type FrameClient, frame, numberFrame, requestFrame } from './http2/frame-client.ts';
import type { Session } from './http2/session.ts';
import { framed } from './raw-client.ts';

const MODEL_INFER = { ':path': '/inference.GRPCInferenceService/ModelInfer' };
const ROWS = 1_000_000;
const message = framed(
  toBinary(
    ModelInferRequestSchema,
    create(ModelInferRequestSchema, {
      modelName: 'large',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 4n] }],
      rawInputContents: [new Uint8Array(16)],
    }),
  ),
);

let fixture: TlsFixture;
beforeAll(() => {
  fixture = createTlsFixture();
});
afterAll(() => fixture.remove());

let server: FakeServer | undefined;
afterEach(async () => {
  await server?.close();
  server?.tls?.stop();
  server = undefined;
});

async function serve(isSecure: boolean): Promise<FrameClient> {
  const answerNow = () => [
    { name: 'y', datatype: 'FP32' as const, shape: [ROWS, 4], data: new Float32Array(4 * ROWS).fill(1) },
  ];
  const tls = isSecure ? await fixture.serverTls() : undefined;
  server = await serveFake([{ name: 'large', answerNow }], {}, undefined, tls);
  const { port } = server;
  const secure = isSecure
    ? connectTls({ port, ca: fixture.ca.cert, servername: 'localhost', ALPNProtocols: ['h2'] })
    : undefined;
  const client = await connectFrames(port, [[SETTING.INITIAL_WINDOW_SIZE, 1e9]], secure);
  client.send(numberFrame(FRAME.WINDOW_UPDATE, 0, 1e9));
  return client;
}

describe.each([
  ['in clear text', false],
  ['over TLS', true],
])('%s', (_how, isSecure) => {
  it('a client is given all of its answer where the server ends meanwhile', async () => {
    const client = await serve(isSecure);
    client.send(requestFrame(1, MODEL_INFER), frame(FRAME.DATA, FLAG.END_STREAM, 1, message));
    await new Promise((resolve) => client.socket.once('data', resolve));
    client.pause();
    const ended = server?.server.close({ graceMs: 60_000 });
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // What a client says while it reads must not undo what it was sent.
    client.socket.on('data', () => client.send(numberFrame(FRAME.WINDOW_UPDATE, 0, 1)));
    client.resume();
    await Promise.all([client.closed, ended]);
    const content = Buffer.concat(client.content.get(1) ?? []);
    expect(content.length).toBeGreaterThan(16 * ROWS);
    expect(content.readFloatLE(content.length - 4)).toBe(1);
    expect(client.ended.has(1)).toBe(true);
    expect(client.farewells).not.toContain(ERROR.INTERNAL_ERROR);
  });

  it('a client is told what it did wrong', async () => {
    const client = await serve(isSecure);
    for (let count = 0; count < 5; count += 1) client.send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
    await client.closed;
    expect(client.farewells).toEqual([ERROR.ENHANCE_YOUR_CALM]);
  });
});

/** A connection over a session of which the test says what was written and taken. */
function watch(session: { isOver: boolean; backlogBytes: number; takenBytes: number }) {
  const clock = createFakeClock();
  let destroyed = 0;
  const faked = { ...session, isClosing: false, destroy: () => void destroyed++ } as const;
  const options = { ...DEFAULT_GRPC_OPTIONS, sendTimeoutMs: 1000 };
  const connection = createConnection(faked as unknown as Session, { clock, options }, () => false);
  return {
    look(afterMs: number, now: Partial<typeof session>) {
      clock.advance(afterMs);
      Object.assign(faked, now);
      connection.look();
      return destroyed;
    },
  };
}

describe.each([false, true])('a connection with a backlog (no more is read of it: %s)', (isOver) => {
  it('goes on while the client takes some of it', () => {
    const { look } = watch({ isOver, backlogBytes: 5000, takenBytes: 0 });
    for (let taken = 1; taken < 20; taken += 1) expect(look(900, { takenBytes: taken })).toBe(0);
  });

  it('ends when the client takes nothing for long', () => {
    const { look } = watch({ isOver, backlogBytes: 0, takenBytes: 0 });
    expect(look(5000, { backlogBytes: 7 })).toBe(0);
    expect(look(900, {})).toBe(0);
    expect(look(900, { takenBytes: 1 })).toBe(0);
    expect(look(900, {})).toBe(0);
    expect(look(900, {})).toBe(1);
  });
});
