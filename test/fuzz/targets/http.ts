import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { encodeInferRequest } from '../../../src/base/oip/encode-request.ts';
import { DATATYPES } from '../../../src/base/tensor/datatype.ts';
import type { Signature } from '../../../src/model/signature.ts';
import { createFakeDeps, echo } from '../../../src/protocol/http/fake-registry.ts';
import { rawRequest, takeAnswer } from '../../../src/protocol/http/raw-client.ts';
import { createHttpServer } from '../../../src/protocol/http/server.ts';
import { anyTensor } from '../../support/any-tensor.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require } from '../target.ts';

/** What a client may be told for sending something wrong; above all no 500. */
const STATUSES = new Set([100, 200, 400, 404, 405, 408, 413, 415, 417, 429, 431, 499, 501, 503, 504]);
const MAX_BODY_BYTES = 1 << 20;

const WORDS = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    ':',
    ' ',
    '\0',
    'HTTP/1.0',
    'HTTP/1.1',
    'GET ',
    'POST ',
    'PUT ',
    'HEAD ',
    'OPTIONS ',
  ],
  ...[
    'content-length: 5\r\n',
    'content-length: 0\r\n',
    'content-length: -1\r\n',
    'transfer-encoding: chunked\r\n',
  ],
  ...[
    'content-encoding: gzip\r\n',
    'content-encoding: br\r\n',
    'content-type: text/plain\r\n',
    'content-type: \r\n',
  ],
  ...[
    'inference-header-content-length: 0\r\n',
    'inference-header-content-length: 9\r\n',
    'expect: 100-continue\r\n',
  ],
  ...[
    'x-request-deadline: 5ms\r\n',
    'x-request-id: \u00ff\r\n',
    'accept-encoding: gzip\r\n',
    'connection: upgrade\r\n',
  ],
  ...[
    '/versions/1',
    '/versions/',
    '%00',
    '%ff',
    '%zz',
    '/v1/predict',
    '/v2',
    '/metrics',
    '/docs',
    '//',
    '?',
    '#',
  ],
  ...[
    '5\r\n',
    '0\r\n\r\n',
    'ffffffffffffffff\r\n',
    '"timeout":1',
    '"priority":1',
    '"sequence_id":1',
    '{',
    '}',
    '"',
  ],
];

/** One input of each datatype: `x_FP32`, `x_BYTES` and so on; each request names one of them. */
const MODELS = DATATYPES.map((datatype, index) => {
  const shape = [-1, -1];
  const dimensionNames = [undefined, undefined];
  const signature: Signature = {
    inputs: [{ name: 'x', datatype, shape, dimensionNames }],
    outputs: [{ name: 'y', datatype, shape, dimensionNames }],
    batchAxis: 'none',
  };
  const answer = (request: Parameters<typeof echo>[0]) => echo(request, signature);
  return {
    name: `m_${datatype}`,
    signature,
    infer: async (request: Parameters<typeof echo>[0]) => answer(request),
    // Every other one at once: those answers take another way.
    ...(index % 2 === 0 ? { inferNow: answer } : {}),
  };
});

const valid = fc
  .tuple(anyTensor({ text: true }), fc.boolean(), fc.constantFrom('v2', 'v1', 'raw', 'get'))
  .map(([tensor, binary, kind]) => {
    if (kind === 'get') return rawRequest('GET', `/v2/models/m_${tensor.datatype}`);
    const named = { ...tensor, name: 'x' };
    const { chunks, headerLength } = encodeInferRequest({ parameters: {}, inputs: [named] }, { binary });
    const path = kind === 'v1' ? '/v1/predict' : `/v2/models/m_${tensor.datatype}/infer`;
    const headers: Record<string, string | number> = { 'content-type': 'application/json' };
    if (headerLength !== undefined)
      headers['inference-header-content-length'] = kind === 'raw' ? 0 : headerLength;
    return rawRequest('POST', path, headers, Buffer.concat(chunks));
  });

/** A whole connection to the HTTP server: heads, bodies, routes, answers. Models are fakes that echo. */
export async function httpTarget(): Promise<FuzzTarget> {
  const deps = createFakeDeps(MODELS, { maxBodyBytes: MAX_BODY_BYTES, receiveTimeoutMs: 2000 });
  const server = createHttpServer(deps);
  const { port } = await server.listen('127.0.0.1', 0);

  /** Everything the server says until it ends the connection. */
  async function talk(bytes: Uint8Array): Promise<Buffer> {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.end(bytes);
    await once(socket, 'close');
    return Buffer.concat(chunks);
  }

  return {
    name: 'http',
    inputs: fc.oneof(
      fc
        .array(valid, { minLength: 1, maxLength: 3 })
        .chain((requests) => mutated([Buffer.concat(requests)], WORDS)),
      valid,
    ),
    async run(input) {
      const loggedBefore = deps.logged.length;
      let said = await talk(input);
      const isHead = /(^|\n)HEAD /.test(Buffer.from(input).toString('latin1'));
      while (said.length > 0) {
        const taken = takeAnswer(said);
        // A client that asked for no body, or that broke the request off, may see an answer without its end.
        if (taken === undefined) {
          require(said.toString('latin1', 0, 9) ===
            'HTTP/1.1 ', `no HTTP: ${said.toString('latin1', 0, 80)}`);
          break;
        }
        require(STATUSES.has(taken.answer.status), `${taken.answer.status}: ${taken.answer.body}`);
        // Only Node itself answers in chunks, to an expectation that nobody knows.
        if (isHead || taken.answer.headers['transfer-encoding'] !== undefined) break;
        said = said.subarray(taken.length);
      }
      require(deps.logged.length ===
        loggedBefore, `the log has a fault: ${JSON.stringify(deps.logged.at(-1))}`);
    },
    close: () => server.close({ graceMs: 0 }),
  };
}
