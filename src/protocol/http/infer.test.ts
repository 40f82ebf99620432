import { afterEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import { binaryBody, closeServers, rowsBody, serve } from './fake-infer-server.ts';
import { echo } from './fake-registry.ts';
import { jsonOf, rawRequest } from './raw-client.ts';

afterEach(closeServers);

describe('an inference', () => {
  it('goes from JSON to JSON', async () => {
    const { post, deps } = await serve();
    const answer = await post('rows', rowsBody({ id: '42' }));
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(jsonOf(answer)).toEqual({
      model_name: 'rows',
      model_version: '1',
      id: '42',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }],
    });
    expect(deps.outcomes).toMatchObject([
      { model: 'rows', version: '1', route: '/v2/models/{model}/infer', code: 'OK', computeNs: 1 },
    ]);
    const [outcome] = deps.outcomes;
    expect(outcome?.totalNs).toBeGreaterThan(0);
    expect(outcome?.decodeNs).toBeGreaterThan(0);
    expect(outcome?.encodeNs).toBeGreaterThan(0);
  });

  it('goes from binary to binary', async () => {
    const { post } = await serve();
    const header = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
      parameters: { binary_data_output: true },
    };
    const { bytes, length } = binaryBody(header, Float32Array.of(1, 2, Number.NaN, 4));
    const answer = await post('rows', bytes, {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': length,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    const jsonLength = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(answer.body.subarray(0, jsonLength).toString())).toMatchObject({
      outputs: [{ name: 'y', parameters: { binary_data_size: 16 } }],
    });
    const tail = Buffer.from(answer.body.subarray(jsonLength));
    expect([0, 4, 8, 12].map((at) => tail.readFloatLE(at))).toEqual([1, 2, Number.NaN, 4]);
  });

  it.each(['own', 'node'] as const)(
    'is a view over a body that comes by itself (reader: %s)',
    async (reader) => {
      const { client, asked } = await serve({ reader });
      const header = {
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
      };
      const { bytes, length } = binaryBody(header, Float32Array.of(1, 2, 3, 4));
      const request = rawRequest(
        'POST',
        '/v2/models/rows/infer',
        { 'inference-header-content-length': length },
        bytes,
      );
      const headBytes = request.length - bytes.length;
      client.send(request.subarray(0, headBytes));
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.send(request.subarray(headBytes));
      expect((await client.next()).status).toBe(200);
      const data = asked[0]?.request.inputs[0]?.data as Float32Array;
      expect(data.byteOffset % 8).toBe(0);
      // Nothing was copied: the JSON part lies in the same buffer.
      expect(data.buffer.byteLength).toBeGreaterThan(16);
    },
  );

  it('takes one raw tensor where the header length is 0', async () => {
    const { post } = await serve();
    const raw = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    const answer = await post('rows', raw, { 'inference-header-content-length': 0 });
    const jsonLength = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(answer.body.subarray(0, jsonLength).toString())).toMatchObject({
      outputs: [{ name: 'y', shape: [2, 4] }],
    });
    expect(answer.body.subarray(jsonLength).equals(raw)).toBe(true);
    expect((await post('rows', raw.subarray(1), { 'inference-header-content-length': 0 })).status).toBe(400);
    const refused = await post('pair', raw, { 'inference-header-content-length': 0 });
    expect(jsonOf(refused).error).toContain('2 inputs');
  });

  it('answers the wanted outputs only, each in the wanted form', async () => {
    const { post } = await serve();
    const inputs = [
      { name: 'a', datatype: 'FP32', shape: [2], data: [1, 2] },
      { name: 'b', datatype: 'INT64', shape: [2], data: [3, 4] },
    ];
    const one = await post('pair', JSON.stringify({ inputs, outputs: [{ name: 'b2' }] }));
    expect(jsonOf(one)).toMatchObject({ outputs: [{ name: 'b2', data: [3, 4] }] });
    expect((jsonOf(one).outputs as unknown[]).length).toBe(1);

    const parameters = { binary_data_output: true };
    const outputs = [{ name: 'a2', parameters: { binary_data: false } }, { name: 'b2' }];
    const mixed = await post('pair', JSON.stringify({ inputs, parameters, outputs }));
    const jsonLength = Number(mixed.headers['inference-header-content-length']);
    expect(JSON.parse(mixed.body.subarray(0, jsonLength).toString())).toMatchObject({
      outputs: [
        { name: 'a2', data: [1, 2] },
        { name: 'b2', parameters: { binary_data_size: 16 } },
      ],
    });
    expect(mixed.body.length - jsonLength).toBe(16);

    const all = await post('pair', JSON.stringify({ inputs, outputs: [] }));
    expect((jsonOf(all).outputs as unknown[]).length).toBe(2);
  });

  it('answers classes where they are wanted, as JSON and as binary data', async () => {
    const { post } = await serve();
    const outputs = [{ name: 'y', parameters: { classification: 2 } }];
    const two = { shape: [2, 4], data: [1, 2, 4, 3, 0, 0, 0, 9] };
    expect(jsonOf(await post('rows', rowsBody({ outputs }, two)))).toMatchObject({
      outputs: [
        {
          name: 'y',
          datatype: 'BYTES',
          shape: [2, 2],
          data: ['4.000000:2', '3.000000:3', '9.000000:3', '0.000000:0'],
        },
      ],
    });
    const binary = [{ name: 'y', parameters: { classification: 1, binary_data: true } }];
    const answer = await post('rows', rowsBody({ outputs: binary }));
    const headerLength = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(answer.body.toString('utf8', 0, headerLength))).toMatchObject({
      outputs: [{ datatype: 'BYTES', shape: [1, 1], parameters: { binary_data_size: 14 } }],
    });
    expect(answer.body.readUInt32LE(headerLength)).toBe(10);
    expect(answer.body.toString('utf8', headerLength + 4)).toBe('4.000000:3');
  });

  it('answers one output in classes and another as it is', async () => {
    const { post } = await serve();
    const inputs = [
      { name: 'a', datatype: 'FP32', shape: [2], data: [1, 2] },
      { name: 'b', datatype: 'INT64', shape: [2], data: [3, 4] },
    ];
    const outputs = [{ name: 'a2' }, { name: 'b2', parameters: { classification: 1 } }];
    expect(jsonOf(await post('pair', JSON.stringify({ inputs, outputs })))).toMatchObject({
      outputs: [
        { name: 'a2', datatype: 'FP32', data: [1, 2] },
        { name: 'b2', datatype: 'BYTES', shape: [1], data: ['4:1'] },
      ],
    });
  });

  it('reaches names with slashes, spaces and unicode, with and without a version', async () => {
    const name = 'team a/größe 中';
    const { client, deps } = await serve({}, [{ name, version: '2' }]);
    const path = `/v2/models/${encodeURIComponent(name)}`;
    for (const tail of ['/infer', '/infer?trace=1', '/versions/2/infer']) {
      client.send(rawRequest('POST', path + tail, {}, rowsBody()));
      expect(jsonOf(await client.next())).toMatchObject({ model_name: name, model_version: '2' });
    }
    expect(deps.outcomes.map((outcome) => outcome.route)).toEqual([
      '/v2/models/{model}/infer',
      '/v2/models/{model}/infer',
      '/v2/models/{model}/versions/{version}/infer',
    ]);
    client.send(rawRequest('POST', `${path}/versions/7/infer`, {}, rowsBody()));
    expect(await client.next()).toMatchObject({ status: 404 });
  });

  it('hands on deadline, priority, sequence and headers', async () => {
    const { post, asked } = await serve();
    const parameters = { timeout: 5_000_000, priority: 2, sequence_id: 7, sequence_start: true, own: 'x' };
    await post('rows', rowsBody({ parameters }), { 'x-request-deadline': '1s', 'x-tenant': 'blue' });
    const [{ request, context } = { request: undefined, context: undefined }] = asked;
    expect(request?.sequence).toEqual({ id: 7, start: true, end: false });
    expect(request?.parameters).toMatchObject({ own: 'x' });
    expect(context?.priority).toBe(2);
    expect(context?.attributes['x-tenant']).toBe('blue');
    const aheadNs = (context?.deadlineAtNs ?? 0) - performance.now() * 1e6;
    expect(aheadNs).toBeLessThanOrEqual(1e9);
  });

  it('is answered at once where the model can, and later where it says so', async () => {
    const asked: string[] = [];
    const { post, deps } = await serve({}, [
      {
        name: 'quick',
        inferNow(request) {
          asked.push(`now ${request.id}`);
          return request.id === 'later' ? undefined : echo(request, ROWS_OF_FOUR);
        },
        async infer(request) {
          asked.push(`later ${request.id}`);
          return echo(request, ROWS_OF_FOUR);
        },
      },
    ]);
    for (const id of ['soon', 'later']) {
      expect(jsonOf(await post('quick', rowsBody({ id })))).toMatchObject({ id, outputs: [{ name: 'y' }] });
    }
    expect(asked).toEqual(['now soon', 'now later', 'later later']);
    expect(deps.outcomes.map(({ code }) => code)).toEqual(['OK', 'OK']);
  });

  it('that is refused at once is refused as one that is refused later', async () => {
    const refuse = () => {
      throw new NimifyError('OVERLOADED', 'too much', { retryAfterMs: 2000 });
    };
    const { post, asked } = await serve({}, [
      { name: 'now', inferNow: refuse },
      { name: 'later', infer: async () => refuse() },
    ]);
    const [now, later] = [await post('now', rowsBody()), await post('later', rowsBody())];
    expect([now.status, now.headers['retry-after']]).toEqual([429, '2']);
    expect({ ...jsonOf(now), request_id: '' }).toEqual({ ...jsonOf(later), request_id: '' });
    expect(asked).toEqual([]);
  });

  it('lets go of the request and of the answer', async () => {
    const { post, asked } = await serve();
    await post('rows', rowsBody());
    await post('rows', rowsBody(), { 'accept-encoding': 'gzip' });
    await expect.poll(() => asked.map((one) => one.request.owner.holders)).toEqual([0, 0]);
  });
});
