import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { decodeInferRequest } from '../../src/base/oip/decode.ts';
import { encodeInferResponse } from '../../src/base/oip/encode.ts';

/**
 * A server of the protocol that is none of ours: it lists no models and knows no error codes. Its models answer `x` with
 * `y`: `brain` takes BF16, `half` FP16, `words` answers in JSON alone, `busy` and `torn` do not answer as they should.
 */
export function serveOthers(): { readonly url: string } {
  let url = '';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, Buffer.concat(chunks), response));
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  return {
    get url() {
      return url;
    },
  };
}

const DATATYPES: Readonly<Record<string, string>> = {
  brain: 'BF16',
  half: 'FP16',
  words: 'FP32',
  busy: 'FP32',
  torn: 'FP32',
};

function answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const [, model = '', rest] = /^\/v2\/models\/(\w+)(\/infer)?$/.exec(request.url ?? '') ?? [];
  const datatype = DATATYPES[model];
  if (datatype === undefined) {
    response.writeHead(404);
    response.end('<html>nothing here</html>');
  } else if (rest === undefined) {
    const tensor = (name: string) => ({ name, datatype, shape: [-1] });
    response.end(JSON.stringify({ name: model, inputs: [tensor('x')], outputs: [tensor('y')] }));
  } else if (model === 'busy') {
    response.writeHead(503, { 'retry-after': '7' });
    response.end('{"error":"come later"}');
  } else if (model === 'torn') {
    response.setHeader('inference-header-content-length', '12');
    response.end('{"outputs":[');
  } else echo(model, request, body, response);
}

function echo(model: string, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { inputs } = decodeInferRequest(body, Number(request.headers['inference-header-content-length']));
  const outputs = inputs.map((input) => ({ ...input, name: 'y' }));
  const { chunks, headerLength } = encodeInferResponse(
    { model, version: '', id: '', outputs, parameters: {} },
    () => model !== 'words',
  );
  if (headerLength !== undefined) response.setHeader('inference-header-content-length', headerLength);
  response.end(Buffer.concat(chunks));
}
