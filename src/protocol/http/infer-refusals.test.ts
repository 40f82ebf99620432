import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Signature } from '../../model/signature.ts';
import { binaryBody, closeServers, rowsBody, serve } from './fake-infer-server.ts';
import { jsonOf, rawRequest } from './raw-client.ts';

afterEach(closeServers);

describe('bad input is answered with 400, says where, and leaves the connection in order:', () => {
  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    ['no JSON', 'hello', 'body'],
    ['an empty body', '', 'body'],
    ['an array', '[]', 'body'],
    ['no inputs', '{}', 'inputs'],
    ['cut off', rowsBody().slice(0, -3), ''],
    ['trailing text', `${rowsBody()}x`, 'body'],
    ['a wrong datatype', rowsBody({}, { datatype: 'INT64' }), 'FP32'],
    ['an unknown datatype', rowsBody({}, { datatype: 'FLOAT' }), 'inputs[0].datatype'],
    ['a wrong shape', rowsBody({}, { shape: [1, 5], data: [1, 2, 3, 4, 5] }), 'shape'],
    ['a wrong rank', rowsBody({}, { shape: [4] }), 'shape'],
    ['a negative dimension', rowsBody({}, { shape: [-1, 4] }), 'inputs[0].shape'],
    ['a fractional dimension', rowsBody({}, { shape: [0.5, 4] }), 'inputs[0].shape'],
    ['a product that overflows', rowsBody({}, { shape: [2 ** 40, 2 ** 40] }), 'inputs[0]'],
    ['too few elements', rowsBody({}, { data: [1, 2, 3] }), 'inputs[0].data'],
    ['too many elements', rowsBody({}, { data: [1, 2, 3, 4, 5] }), 'inputs[0].data'],
    [
      'ragged arrays',
      rowsBody(
        {},
        {
          shape: [2, 4],
          data: [
            [1, 2, 3, 4],
            [5, 6, 7],
          ],
        },
      ),
      'inputs[0].data',
    ],
    ['text for a number', rowsBody({}, { data: [1, 2, 'x', 4] }), 'inputs[0].data'],
    ['an unknown input', rowsBody({}, { name: 'z' }), 'z'],
    [
      'an input twice',
      JSON.stringify({ inputs: [1, 2].map(() => JSON.parse(rowsBody()).inputs[0]) }),
      'inputs[1]',
    ],
    ['no input', JSON.stringify({ inputs: [] }), 'x'],
    ['an unknown output', rowsBody({ outputs: [{ name: 'z' }] }), 'z'],
    ['a bad timeout', rowsBody({ parameters: { timeout: -1 } }), 'parameters.timeout'],
    ['a bad priority', rowsBody({ parameters: { priority: 'high' } }), 'parameters.priority'],
    ['a start without a sequence', rowsBody({ parameters: { sequence_start: true } }), 'sequence_id'],
    ['deep nesting', `{"inputs":${'['.repeat(100_000)}`, ''],
    ['deep nesting where anything goes', `{"other":${'['.repeat(100_000)}`, ''],
    [
      'deeply nested data',
      rowsBody({}, { data: 0 }).replace('"data":0', `"data":${'['.repeat(100_000)}`),
      '',
    ],
  ];

  it.each(cases)('%s', async (_what, body, where) => {
    const { post, deps } = await serve();
    const answer = await post('rows', body);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({
      code: 'INVALID_INPUT',
      error: expect.stringContaining(String(where)),
    });
    expect(deps.outcomes).toMatchObject([{ code: 'INVALID_INPUT', model: 'rows' }]);
    expect(deps.logged).toEqual([]);
    expect((await post('rows', rowsBody())).status).toBe(200);
  });

  it('invalid UTF-8', async () => {
    const { post } = await serve();
    const body = Buffer.from(rowsBody({ id: 'A' }));
    body[body.indexOf('"A"') + 1] = 0xff;
    expect((await post('rows', body)).status).toBe(400);
    expect((await post('rows', rowsBody())).status).toBe(200);
  });

  it.each(['abc', '-1', '1.5', '1e2', '', '99999', '9'.repeat(400)])(
    'a header length of %j',
    async (length) => {
      const { post } = await serve();
      const answer = await post('rows', rowsBody(), { 'inference-header-content-length': length });
      expect(answer.status).toBe(400);
      expect(jsonOf(answer).error).toContain('Inference-Header-Content-Length');
    },
  );

  it.each([
    ['too small', 12, 16],
    ['too large', 20, 16],
    ['beyond the body', 16, 12],
    ['less than the body', 16, 24],
  ])('binary sizes that do not add up: %s', async (_what, announced, sent) => {
    const { post } = await serve();
    const x = { name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: announced } };
    const { bytes, length } = binaryBody({ inputs: [x] }, new Uint8Array(sent));
    const answer = await post('rows', bytes, { 'inference-header-content-length': length });
    expect(answer.status).toBe(400);
    expect((await post('rows', rowsBody())).status).toBe(200);
  });

  it('an unusable deadline', async () => {
    const { post } = await serve();
    const answer = await post('rows', rowsBody(), { 'x-request-deadline': 'soon' });
    expect(answer.status).toBe(400);
  });
});

describe('other refusals', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'nonsense',
  ])('content type %s is refused with 415', async (type) => {
    const { post } = await serve();
    const answer = await post('rows', rowsBody(), { 'content-type': type });
    expect(answer.status).toBe(415);
    expect(jsonOf(answer)).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/octet-stream'])(
    'content type %s is taken',
    async (type) => {
      const { post } = await serve();
      expect((await post('rows', rowsBody(), { 'content-type': type })).status).toBe(200);
    },
  );

  it('no content type is taken for JSON', async () => {
    const { client } = await serve();
    client.send(rawRequest('POST', '/v2/models/rows/infer', {}, rowsBody()));
    expect((await client.next()).status).toBe(200);
  });

  it('a compressed body and a compressed answer go together', async () => {
    const { post } = await serve();
    const answer = await post('rows', gzipSync(rowsBody()), { 'content-encoding': 'gzip' });
    expect(jsonOf(answer)).toMatchObject({ outputs: [{ data: [1, 2, 3, 4] }] });
  });

  it('classes of texts are refused before the model is asked', async () => {
    const spec = { name: 'x', datatype: 'BYTES', shape: [1], dimensionNames: [] } as const;
    const texts: Signature = { inputs: [spec], outputs: [spec], batchAxis: 'none' };
    const { post, deps } = await serve({}, [{ name: 'texts', signature: texts }]);
    const inputs = [{ name: 'x', datatype: 'BYTES', shape: [1], data: ['a'] }];
    const outputs = [{ name: 'x', parameters: { classification: 3 } }];
    const answer = await post('texts', JSON.stringify({ inputs, outputs }));
    expect([answer.status, jsonOf(answer)]).toMatchObject([
      400,
      { details: { where: 'outputs[0].parameters.classification', got: 'BYTES' } },
    ]);
    expect(deps.registry.statistics('texts')[0]?.statistics.success.count).toBe(0);
  });

  it('an unknown model is refused before its body, in the words that clients look for', async () => {
    const { client, deps } = await serve();
    client.send(rawRequest('POST', '/v2/models/none/infer', { 'content-length': 50_000_000 }));
    const answer = await client.next();
    expect(answer.status).toBe(404);
    expect(jsonOf(answer).error).toContain("Request for unknown model: 'none' is not found");
    expect(deps.outcomes).toMatchObject([{ code: 'MODEL_NOT_FOUND', model: '', version: '' }]);
  });

  it('a model that fails hides the native text and spoils nothing', async () => {
    const { post, deps } = await serve({}, [
      {
        name: 'broken',
        infer: async () => {
          throw new Error('native: /secret/path.onnx');
        },
      },
    ]);
    const answer = await post('broken', rowsBody());
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).not.toContain('secret');
    expect(deps.logged.length).toBe(1);
    expect((await post('rows', rowsBody())).status).toBe(200);
  });

  it('many good and bad requests in one pipeline are each answered, in order', async () => {
    const { client } = await serve();
    const path = '/v2/models/rows/infer';
    const requests = Array.from({ length: 40 }, (_, i) =>
      rawRequest('POST', path, {}, i % 3 === 0 ? '{"broken' : rowsBody({ id: String(i) })),
    );
    client.send(Buffer.concat(requests));
    for (let i = 0; i < 40; i += 1) {
      const answer = await client.next();
      if (i % 3 === 0) expect(answer.status).toBe(400);
      else expect(jsonOf(answer).id).toBe(String(i));
    }
  });
});
