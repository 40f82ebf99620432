import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { connectFrames } from '../../support/http2-client.ts';
import {
  continuation,
  createFrameSplitter,
  data,
  dependency,
  FLAG,
  type Frame,
  frame,
  goaway,
  headers,
  PREFACE,
  padded,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import {
  callBlock,
  callBlockTo,
  indexed,
  LITERAL,
  literal,
  STREAM_INFER,
  tableSize,
} from '../../support/http2-hpack.ts';
import { call, message, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require } from '../target.ts';

/** Heads of frames, and parts of header blocks. */
const WORDS = [
  '\0\0\0\x04\x01\0\0\0\0',
  '\0\0\0\x00\x01\0\0\0\x01',
  '\0\0\0\x09\x04\0\0\0\x01',
  '\0\0\x08\x06\x00\0\0\0\0pingping',
  '\0\0\x04\x03\x00\0\0\0\x01\0\0\0\x08',
  '\0\0\x04\x08\x00\0\0\0\x00\x7f\xff\xff\xff',
  '\0\0\x06\x04\x00\0\0\0\0\x00\x04\0\0\0\0',
  '\0\0\x06\x04\x00\0\0\0\0\x00\x05\0\xff\xff\xff',
  '\x82\x83\x84\x86',
  '\xbe\xbf\xc0',
  '\x20\x3f\xe1\x1f',
  '\x40\x01x\x01v',
  '\xff\xff\xff\xff',
];

/** Of the models, one answers at once, one later, and one is not there. */
const MODELS = ['echo', 'held', 'nobody'];

const streamId = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((at) => 2 * at + 1),
  fc.integer({ min: 0, max: 12 }),
);
const size = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
);

const block = fc
  .tuple(
    fc.constantFrom(
      callBlock(),
      callBlockTo(STREAM_INFER),
      callBlockTo('/x'),
      callBlock(['content-length', '9']),
    ),
    fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 70 }).map(indexed),
        fc.integer({ min: 0, max: 5000 }).map(tableSize),
        fc.constantFrom(...Object.values(LITERAL)).map((kind) => literal('x', 'value', kind)),
        fc.uint8Array({ maxLength: 6 }),
      ),
      { maxLength: 3 },
    ),
  )
  .map((parts) => Buffer.concat(parts.flat()));

const content = fc.oneof(
  fc
    .record({ model: fc.constantFrom(...MODELS), rows: fc.integer({ min: 1, max: 60 }) })
    .map((options) => message('fuzz', options)),
  fc.uint8Array({ maxLength: 40 }),
);

const endOfStream = fc.constantFrom(0, FLAG.endStream);

/** A call in frames that are cut anywhere. */
const cutCall = fc
  .tuple(streamId, block, content, fc.nat(200), fc.nat(200), fc.boolean(), endOfStream)
  .map(([id, fields, bytes, fieldsAt, bytesAt, hasTrailers, end]) => [
    headers(id, fields.subarray(0, fieldsAt), 0),
    continuation(id, fields.subarray(fieldsAt)),
    data(id, bytes.subarray(0, bytesAt)),
    data(id, padded(bytesAt, bytes.subarray(bytesAt)), FLAG.padded | (hasTrailers ? 0 : end)),
    ...(hasTrailers ? [headers(id, literal('x', 'v'), FLAG.endHeaders | end)] : []),
  ]);

const one = fc.oneof(
  fc.tuple(streamId, content).map(([id, bytes]) => call(id, bytes)),
  fc
    .tuple(streamId, block, endOfStream)
    .map(([id, fields, end]) => headers(id, fields, FLAG.endHeaders | end)),
  fc.tuple(streamId, content, endOfStream).map(([id, bytes, end]) => data(id, bytes, end)),
  fc.tuple(streamId, size).map(([id, code]) => rstStream(id, code)),
  fc.tuple(streamId, size).map(([id, bytes]) => windowUpdate(id, bytes)),
  fc.tuple(fc.constantFrom(...Object.values(SETTING)), size).map((entry) => settings([entry])),
  fc.constantFrom(settings([], FLAG.ack), ping('x'), ping('x', FLAG.ack), goaway(0, 0)),
  fc.tuple(streamId, streamId).map(([id, other]) => frame(TYPE.priority, 0, id, dependency(other))),
  fc
    .tuple(fc.nat(12), fc.nat(255), streamId, fc.uint8Array({ maxLength: 20 }))
    .map(([type, flags, id, payload]) => frame(type, flags, id, payload)),
);

const connection = fc
  .array(
    fc.oneof(
      one.map((bytes) => [bytes]),
      cutCall,
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => Buffer.concat([PREFACE, settings([]), ...pieces.flat()]));

/** Turns of the event loop in which nothing came. */
const QUIET_TURNS = 6;

/** Whole connections to the gRPC port. Whatever comes on one, the next is served. */
export async function http2BytesTarget(): Promise<FuzzTarget> {
  const server = await serveHttp2({ maxReceiveMessageBytes: 1 << 20, receiveTimeoutMs: 2000 });

  /** What the server says until it has nothing more to say. */
  async function talk(bytes: Uint8Array): Promise<readonly Frame[]> {
    const socket = connect(server.port, '127.0.0.1');
    const frames: Frame[] = [];
    socket.on('error', () => {});
    socket.on(
      'data',
      createFrameSplitter((said) => void frames.push(said)),
    );
    socket.write(bytes);
    let seen = -1;
    for (let quiet = 0; quiet < QUIET_TURNS && !socket.destroyed; quiet += 1) {
      server.release();
      await new Promise((turn) => setImmediate(turn));
      if (socket.bytesRead !== seen) quiet = 0;
      seen = socket.bytesRead;
    }
    socket.destroy();
    if (!socket.closed) await once(socket, 'close');
    return frames;
  }

  return {
    name: 'http2-bytes',
    inputs: connection.chain((bytes) => fc.oneof(mutated([bytes], WORDS), fc.constant(bytes))),
    async run(input) {
      const faultsBefore = server.faults.length;
      checkOrder(await talk(input));
      const client = await connectFrames(server.port);
      client.write(call(1, message('next')));
      const verdict = verdictOf(await client.outcome(1));
      client.destroy();
      require(verdict === 'answered next', `the next connection: ${verdict}`);
      require(server.faults.length === faultsBefore, `the log has a fault: ${server.faults.at(-1)}`);
    },
    close: () => server.close(),
  };
}

/** What a server may send, and in which order (RFC 9113, 5.1 and 8.1). */
function checkOrder(frames: readonly Frame[]): void {
  const states = new Map<number, 'answering' | 'ended' | 'reset'>();
  for (const [at, { type, flags, streamId: id, payload }] of frames.entries()) {
    require((type === TYPE.settings) === (at === 0) || flags === FLAG.ack, `frame ${at}: settings`);
    if (type === TYPE.goaway)
      require(payload.readUInt32BE(4) !== 2, 'the connection ended with INTERNAL_ERROR');
    if (type === TYPE.rstStream) require(payload.readUInt32BE(0) !== 2, 'a stream ended with INTERNAL_ERROR');
    if (id === 0) continue;
    const state = states.get(id);
    const what = `frame ${at}: type ${type} on stream ${id}, ${state}`;
    require(id % 2 === 1, what);
    // More than once where the client goes on (RFC 9113, 5.4.2).
    if (type === TYPE.rstStream) states.set(id, 'reset');
    else if (type === TYPE.headers || type === TYPE.data) {
      require(state === 'answering' || (state === undefined && type === TYPE.headers), what);
      states.set(id, flags & FLAG.endStream ? 'ended' : 'answering');
    } else require(type === TYPE.windowUpdate && state !== 'reset', what);
  }
}
