/** Nothing of a call outlives it, however it ends. */
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, it, vi } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createFakeDeps } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { ERROR, FLAG, FRAME, SETTING } from './http2/constants.ts';
import { connectFrames, frame, numberFrame, requestFrame } from './http2/frame-client.ts';
import { createGrpcPort } from './port.ts';
import { framed } from './raw-client.ts';

const CONNECTIONS = 20;
const CALLS = 500;

it('calls that are answered, reset or left by their client are all counted, and leave nothing', async () => {
  let inside = 0;
  const door = { entered: () => void inside++, left: () => void inside-- };
  const clock = createFakeClock();
  const deps = createFakeDeps(
    [
      { name: 'at once', answerNow: ({ inputs }) => inputs.map((input) => ({ ...input, name: 'y' })) },
      {
        name: 'later',
        async answer({ inputs }) {
          await new Promise((resolve) => setImmediate(resolve));
          return inputs.map((input) => ({ ...input, name: 'y' }));
        },
      },
    ],
    {},
    clock,
  );
  const server = createGrpcPort({ ...deps, connectionRoom: { open: () => door } });
  const { port } = await server.listen('127.0.0.1', 0);
  const random = createSeededRandom(7);
  const messages = ['at once', 'later'].flatMap((modelName) =>
    [1, 1000].map((rows) => {
      const request = {
        ...{ modelName, inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 4n] }] },
        rawInputContents: [new Uint8Array(16 * rows)],
      };
      return framed(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request)));
    }),
  );
  let asked = 0;
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const client = await connectFrames(port, [[SETTING.INITIAL_WINDOW_SIZE, 20_000]]);
    client.send(numberFrame(FRAME.WINDOW_UPDATE, 0, 2 ** 30));
    for (let id = 1; id < 2 * CALLS; id += 2) {
      const path = random() < 0.8 ? 'ModelInfer' : 'ModelStreamInfer';
      const message = messages[Math.floor(random() * messages.length)]!;
      const cut = random() < 0.2 ? Math.floor(random() * message.length) : message.length;
      const flags = cut === message.length && random() < 0.9 ? FLAG.END_STREAM : 0;
      client.send(requestFrame(id, { ':path': `/inference.GRPCInferenceService/${path}` }));
      client.send(frame(FRAME.DATA, flags, id, message.subarray(0, cut)));
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
      if (random() < 0.5) client.send(numberFrame(FRAME.RST_STREAM, id, ERROR.CANCEL));
    }
    const seen = client.pongs;
    client.send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
    await vi.waitFor(() => expect(client.pongs).toBe(seen + 1), 10_000);
    expect(client.farewells).toEqual([]);
    client.socket.destroy();
    asked += CALLS;
  }
  await vi.waitFor(() => expect(inside).toBe(0));
  const { contexts } = deps.registry.find('later').model as unknown as { contexts: readonly unknown[] };
  expect(contexts.length).toBeGreaterThan(100);
  // Streams of several messages are counted by message, and one that never had a whole one is not.
  await vi.waitFor(() => expect(deps.outcomes.length).toBeGreaterThan(0.8 * asked));
  expect(deps.outcomes.length).toBeLessThanOrEqual(asked);
  expect(deps.logged).toEqual([]);
  await server.close({ graceMs: 1000 });
  expect(clock.pendingTimers).toBe(0);
}, 60_000);
