/**
 * The floor for a server with an HTTP reader of its own: bare node:net, which waits for a request's last byte, runs the
 * model and answers. It reads the head of a connection's first request, for its length, and takes all others to be as long.
 *
 *   MODEL=model.onnx PORT=9000 node floor-tcp-run.mjs
 */
import { createServer } from 'node:net';
import { openFloor } from './floor-run.mjs';

const floor = openFloor(process.env.MODEL);
let head;

createServer({ noDelay: true }, (socket) => {
  let held;
  let lengthBytes;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const request = held === undefined ? chunk : Buffer.concat([held, chunk]);
    lengthBytes ??= lengthOf(request);
    held = lengthBytes === undefined || request.length < lengthBytes ? request : undefined;
    if (held !== undefined) return;
    const body = floor.answer(request);
    head ??= headOf(floor.headers);
    const answer = Buffer.allocUnsafe(head.length + body.length);
    answer.set(head);
    answer.set(body, head.length);
    socket.write(answer);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');

/** Of a whole request; undefined until its head is there. */
function lengthOf(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(bytes.subarray(0, end).toString('latin1'));
  return end + 4 + Number(length);
}

/** With the fields that node:http adds. */
function headOf(headers) {
  const all = {
    ...headers,
    Date: new Date().toUTCString(),
    Connection: 'keep-alive',
    'Keep-Alive': 'timeout=75',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`);
}
