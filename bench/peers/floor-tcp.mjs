/**
 * The floor for any server on Node: bare node:net that waits for a request's last byte and writes the same bytes
 * each time. It reads the head of a connection's first request for its length and runs no model after the very first.
 *
 *   MODEL=model.onnx PORT=9000 node floor-tcp.mjs
 */
import { createServer } from 'node:net';
import { createFirstAnswer } from './floor-answer.mjs';

const firstAnswer = await createFirstAnswer(process.env.MODEL);
let answer;

createServer({ noDelay: true }, (socket) => {
  let first = [];
  let lengthBytes;
  let read = 0;
  socket.on('error', () => {});
  socket.on('data', async (chunk) => {
    read += chunk.length;
    if (first !== undefined) {
      first.push(chunk);
      lengthBytes ??= lengthOf(Buffer.concat(first));
    }
    if (lengthBytes === undefined || read < lengthBytes) return;
    read = 0;
    answer ??= toResponse(await firstAnswer(Buffer.concat(first)));
    first = undefined;
    socket.write(answer);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');

/** Of a whole request; undefined until its head is there. */
function lengthOf(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, length] = /content-length: *(\d+)/i.exec(bytes.subarray(0, end).toString('latin1'));
  return end + 4 + Number(length);
}

function toResponse(body) {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`), body]);
}
