/**
 * node:http that answers nothing: it reads a body to its end, runs no model, and ends the answer.
 *
 *   PORT=9000 node floor-http-empty.mjs
 */
import { createServer } from 'node:http';

createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end());
}).listen(Number(process.env.PORT), '127.0.0.1');
