import { afterEach, describe, expect, it } from 'vitest';
import type { ServedModel } from '../../../registry/contract.ts';
import {
  createServed,
  flowers,
  identity,
  type ServedHere,
  serveModels,
  spec,
  table,
} from './served-fakes.ts';

let here: ServedHere | undefined;

afterEach(() => here?.close());

async function serve(...models: readonly ServedModel[]): Promise<ServedHere> {
  here = await serveModels(models);
  return here;
}

const half = () => identity('half', spec('x', 'FP32', [-1]));

describe('POST /v1/models/{model}:predict', () => {
  it('answers rows with predictions and columns with outputs', async () => {
    const { post } = await serve(half());
    expect((await post('/v1/models/half:predict', { instances: [1, 2.5, 5] })).body).toEqual({
      predictions: [1, 2.5, 5],
    });
    expect((await post('/v1/models/half:predict', { inputs: [1, 2.5, 5] })).body).toEqual({
      outputs: [1, 2.5, 5],
    });
    expect((await post('/v1/models/half:predict', { inputs: { x: [1] } })).body).toEqual({ outputs: [1] });
  });

  it('takes the version from the path', async () => {
    const { post } = await serve(half());
    expect((await post('/v1/models/half/versions/1:predict', { instances: [1] })).status).toBe(200);
    expect((await post('/v1/models/half/versions/2:predict', { instances: [1] })).status).toBe(404);
    expect((await post('/v1/models/other:predict', { instances: [1] })).status).toBe(404);
  });

  it('takes rows as objects and answers rows as objects', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/models/churn:predict', {
      signature_name: 'serving_default',
      instances: [{ plan: 'pro', hours: 1.5, months: 3 }],
    });
    expect(body).toEqual({ predictions: [{ plan: ['pro'], hours: [1.5], months: [3] }] });
  });

  it('puts the values of many rows together, in any order of keys', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/models/churn:predict', {
      instances: [
        { plan: 'a', hours: 1, months: 1 },
        { months: 2, plan: 'b', hours: 2 },
        { hours: 3, months: 3, plan: '] , {' },
      ],
    });
    expect(body).toEqual({
      predictions: [
        { plan: ['a'], hours: [1], months: [1] },
        { plan: ['b'], hours: [2], months: [2] },
        { plan: ['] , {'], hours: [3], months: [3] },
      ],
    });
  });

  it('answers columns by name where there are several outputs', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/models/churn:predict', {
      inputs: { plan: ['a', 'b'], hours: [1, 2], months: [1, 2] },
    });
    expect(body).toEqual({ outputs: { plan: [['a'], ['b']], hours: [[1], [2]], months: [[1], [2]] } });
  });

  it('takes and gives b64', async () => {
    const { post } = await serve(identity('images', spec('image_bytes', 'BYTES', [-1])));
    const image = { b64: Buffer.from([0xff, 0xd8]).toString('base64') };
    const expected = { predictions: [image, image] };
    expect((await post('/v1/models/images:predict', { instances: [image, image] })).body).toEqual(expected);
    const named = [{ image_bytes: image }, { image_bytes: image }];
    expect((await post('/v1/models/images:predict', { instances: named })).body).toEqual(expected);
    const text = await post('/v1/models/images:predict', { instances: ['hi'] });
    expect(text.body).toEqual({ predictions: [{ b64: 'aGk=' }] });
  });

  it('keeps 64-bit integers exact in rows', async () => {
    const { post } = await serve(table());
    const { text } = await post(
      '/v1/models/churn:predict',
      '{"instances":[{"plan":"a","hours":1,"months":9223372036854775807}]}',
    );
    expect(text).toContain('"months":[9223372036854775807]');
  });

  it.each([
    ['both forms', { instances: [1], inputs: [1] }, /got both/],
    ['neither form', { data: [1] }, /got neither/],
    ['another signature', { signature_name: 'regress', instances: [1] }, /signature_name: .*serving_default/],
    ['an unknown input', { instances: [{ y: 1 }] }, /instances\[0\]\.y: no input has this name/],
    [
      'rows of different inputs',
      { instances: [{ x: 1 }, { y: 1 }] },
      /instances\[1\]: expected the inputs of/,
    ],
    [
      'a row with more inputs',
      { instances: [{ x: 1 }, { x: 1, y: 1 }] },
      /instances\[1\]: expected the inputs of/,
    ],
    ['a row that is no object', { instances: [{ x: 1 }, 2] }, /instances\[1\]: expected an object/],
    ['text for numbers', { instances: ['a'] }, /instances\[0\]: expected a number/],
    ['text for numbers in an object', { instances: [{ x: 'a' }] }, /instances\[\*\]\.x.*expected a number/],
    ['an object for rows', { instances: { x: 1 } }, /instances: expected/],
  ])('refuses %s', async (_, request, message) => {
    const { post } = await serve(half());
    const { status, body } = await post('/v1/models/half:predict', request);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'INVALID_INPUT', error: expect.stringMatching(message) });
  });

  it('says that several inputs need names', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/models/churn:predict', { instances: [1, 2] });
    expect(body.error).toMatch(/has 3 inputs \(plan, hours, months\); expected a list of objects/);
  });

  it('refuses to cut outputs of different lengths into rows', async () => {
    const inputs = [spec('a', 'FP32', [-1], ['N']), spec('b', 'FP32', [-1], ['M'])];
    const served = createServed({ name: 'odd', signature: { inputs, outputs: inputs, batchAxis: 'none' } });
    const { post } = await serve(served);
    const columns = { inputs: { a: [1, 2], b: [1] } };
    expect((await post('/v1/models/odd:predict', columns)).body).toEqual({ outputs: { a: [1, 2], b: [1] } });
    const swapped = {
      ...served.model,
      infer: (...args: Parameters<typeof served.model.infer>) =>
        served.model.infer(
          { ...args[0], inputs: [args[0].inputs[0]!, { ...args[0].inputs[1]!, shape: [] }] },
          args[1],
        ),
    };
    await here?.close();
    const second = await serve({ ...served, model: swapped });
    const rows = await second.post('/v1/models/odd:predict', { instances: [{ a: 1, b: 2 }] });
    expect(rows.body.error).toMatch(/outputs \(a \[1\], b \[\]\) do not have one entry a row/);
  });

  it('tells other verbs, methods and paths apart', async () => {
    const { post, get } = await serve(flowers());
    expect((await post('/v1/models/iris:classify', {})).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await post('/v1/models/iris', {})).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await post('/v1/models/iris/nope/1:predict', {})).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await get('/v1/models/iris:predict')).body).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    expect((await get('/v1/models/iris/x/y')).body).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('serves names with colons and slashes', async () => {
    const { post, get } = await serve(identity('org/m:8b', spec('x', 'FP32', [-1])));
    expect((await post('/v1/models/org%2Fm%3A8b:predict', { instances: [1] })).body).toEqual({
      predictions: [1],
    });
    expect((await post('/v1/models/org%2Fm:8b:predict', { instances: [1] })).status).toBe(200);
    expect((await get('/v1/models/org%2Fm:8b')).body).toMatchObject({ name: 'org/m:8b', ready: true });
  });

  it('is counted under its route', async () => {
    const { post, deps } = await serve(half());
    await post('/v1/models/half:predict', { instances: [1] });
    await post('/v1/models/nope:predict', { instances: [1] });
    expect(deps.outcomes).toMatchObject([
      { route: '/v1/models/{model}:predict', model: 'half', code: 'OK' },
      { route: '/v1/models/{model}:predict', model: '', code: 'MODEL_NOT_FOUND' },
    ]);
  });
});
