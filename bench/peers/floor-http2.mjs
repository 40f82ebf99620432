/**
 * The floor for a gRPC server on node:http2: it reads a call's bytes to their end and answers the same message each
 * time. No message is read and no model run after the first call.
 *
 *   MODEL=model.onnx PORT=9000 node floor-http2.mjs
 */
import { createServer } from 'node:http2';
import { createFirstAnswer } from './floor-answer.mjs';

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
const OPTIONS = { waitForTrailers: true, sendDate: false };
const TRAILERS = { 'grpc-status': '0' };
const FRAME_HEADER_BYTES = 5;
/** Of ModelInferResponse: field 6, delimited. Enough for what reads it here. */
const RAW_OUTPUT_CONTENTS = 0x32;
const WINDOW_BYTES = 1 << 20;

const firstAnswer = await createFirstAnswer(process.env.MODEL);
let answer;

const server = createServer({ settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 1024 } });
server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
server.on('stream', (stream) => {
  const chunks = [];
  stream.on('error', () => {});
  stream.on('data', (chunk) => {
    if (answer === undefined) chunks.push(chunk);
  });
  stream.on('end', async () => {
    answer ??= toMessage(await firstAnswer(Buffer.concat(chunks)));
    // h2load leaves with calls in flight.
    if (stream.destroyed) return;
    stream.respond(HEADERS, OPTIONS);
    stream.on('wantTrailers', () => stream.sendTrailers(TRAILERS));
    stream.end(answer);
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');

/** In the frame that gRPC puts before a message. */
function toMessage(output) {
  if (output.length > 127) throw new Error(`${output.length} bytes need a longer length than one byte`);
  const message = Buffer.concat([Buffer.of(RAW_OUTPUT_CONTENTS, output.length), output]);
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
