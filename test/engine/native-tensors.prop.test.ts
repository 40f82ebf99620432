/** What goes through the C API comes back bit for bit, in every datatype, shape and size, however it is asked for. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { ARRAY_OF, DATATYPES, type Datatype, type TypedArray } from '../../src/base/tensor/datatype.ts';
import { BORROWED } from '../../src/base/tensor/owner.ts';
import { isBytesData, type Tensor } from '../../src/base/tensor/tensor.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createRunPlaces } from '../../src/engine/host/run-places.ts';
import { loadLibrary } from '../../src/engine/onnxruntime/native/library.ts';
import { openHandle } from '../../src/engine/onnxruntime/native/open-handle.ts';
import { shareSession } from '../../src/engine/onnxruntime/native/shared-session.ts';
import { anyTensor } from '../support/any-tensor.ts';
import { identityModel } from '../support/identity-model.ts';

type Session = ReturnType<typeof shareSession>;

const sessions = new Map<string, Promise<Session>>();
afterAll(async () => {
  for (const session of sessions.values()) await (await session).close();
});

function sessionFor(datatype: Datatype, rank: number): Promise<Session> {
  const key = `${datatype} ${rank}`;
  const found = sessions.get(key) ?? open(datatype, rank);
  sessions.set(key, found);
  return found;
}

async function open(datatype: Datatype, rank: number): Promise<Session> {
  const shape = Array.from({ length: rank }, (_, axis) => `d${axis}`);
  const library = loadLibrary();
  const model = identityModel({ input: 'x', output: 'y', datatype, shape });
  const handle = await openHandle(library, model, { intraOpThreads: 1 });
  return shareSession(library, handle, { clock: systemClock, places: createRunPlaces(2) });
}

const asked = (tensor: Tensor) => ({ inputs: [{ ...tensor, name: 'x' }], outputs: ['y'], owner: BORROWED });

/** Elements without where they lie. */
function contentOf({ datatype, shape, data }: Tensor): unknown {
  if (!isBytesData(data))
    return [datatype, shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
  const { bytes, offsets } = data;
  const elements = Array.from(offsets.subarray(1), (to, at) => Buffer.from(bytes.subarray(offsets[at], to)));
  return [datatype, shape, elements];
}

it('any tensor comes back, at once and from another thread, the first time and later', async () => {
  const tensors = anyTensor({ text: true }).filter(
    ({ data }) => !isBytesData(data) || !data.bytes.includes(0),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(tensors, { minLength: 1, maxLength: 4 }), async (all) => {
      for (const tensor of [...all, ...all]) {
        const session = await sessionFor(tensor.datatype, tensor.shape.length);
        const expected = contentOf(tensor);
        expect(contentOf(session.runNow(asked(tensor)).outputs[0]!)).toEqual(expected);
        expect(contentOf((await session.run(asked(tensor))).outputs[0]!)).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

it.each(DATATYPES.filter((datatype) => datatype !== 'BYTES'))(
  'of %s, tensors of all sizes around those that are copied, as views that begin anywhere',
  async (datatype) => {
    const session = await sessionFor(datatype, 1);
    const size = ARRAY_OF[datatype].BYTES_PER_ELEMENT;
    const sizes = fc.integer({ min: 4096 / size - 3, max: 4096 / size + 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(sizes, fc.nat({ max: 5 }), fc.nat({ max: 255 })), { maxLength: 6 }),
        async (all) => {
          const running = all.map(async ([count, from, byte]) => {
            const bytes = new ArrayBuffer((from + count) * size);
            new Uint8Array(bytes).forEach((_, at, whole) => {
              whole[at] = datatype === 'BOOL' ? (at + byte) % 2 : (at * 31 + byte) % 256;
            });
            const data: TypedArray = new ARRAY_OF[datatype](bytes, from * size, count);
            const tensor: Tensor = { name: 'x', datatype, shape: [count], data };
            const expected = contentOf(tensor);
            expect(contentOf((await session.run(asked(tensor))).outputs[0]!)).toEqual(expected);
            expect(contentOf(session.runNow(asked(tensor)).outputs[0]!)).toEqual(expected);
          });
          await Promise.all(running);
        },
      ),
      { numRuns: 15 },
    );
  },
);
