/**
 * The floor for a server on node:http: it reads a body to its end, runs the model and answers the same bytes as nimify.
 *
 *   MODEL=model.onnx PORT=9000 node floor-http-run.mjs
 */
import { createServer } from 'node:http';
import { openFloor } from './floor-run.mjs';

const floor = openFloor(process.env.MODEL);

createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = floor.answer(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    response.writeHead(200, floor.headers);
    response.end(body);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
