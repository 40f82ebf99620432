import { afterEach, describe, expect, it } from 'vitest';
import type { ServedModel } from '../../../registry/contract.ts';
import { flowers, identity, type ServedHere, serveModels, spec, table } from './served-fakes.ts';

let here: ServedHere | undefined;

afterEach(() => here?.close());

async function serve(...models: readonly ServedModel[]): Promise<ServedHere> {
  here = await serveModels(models);
  return here;
}

const ROW = [5.1, 2, 1.4, 0.2];

describe('POST /v1/predict', () => {
  it('answers by output name, with labels where the model has class names', async () => {
    const { post } = await serve(flowers());
    const { status, body } = await post('/v1/predict', { X: [ROW] });
    expect(status).toBe(200);
    expect(body).toEqual({
      model: 'iris',
      version: '1',
      outputs: { label: [2], probabilities: [[0.01, 0.01, 0.98]] },
      labels: {
        label: ['virginica'],
        probabilities: [
          [
            { label: 'virginica', score: 0.98 },
            { label: 'setosa', score: 0.01 },
            { label: 'versicolor', score: 0.01 },
          ],
        ],
      },
    });
  });

  it.each([
    ['input', { input: [ROW] }],
    ['inputs', { inputs: [ROW] }],
    ['instances', { instances: [ROW] }],
    ['its name within inputs', { inputs: { X: [ROW] } }],
    ['a row without the row axis', { X: ROW }],
  ])('takes the values of a one-input model as %s', async (_, request) => {
    const { post } = await serve(flowers());
    const { body } = await post('/v1/predict', request);
    expect(body.outputs).toMatchObject({ label: [2] });
  });

  it('takes columns of a table without their axis of 1, and nests the answer by shape', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/predict', { plan: ['pro', 'ü "x"'], hours: [1.5, 0.1], months: [1, 2] });
    expect(body.outputs).toEqual({
      plan: [['pro'], ['ü "x"']],
      hours: [[1.5], [0.1]],
      months: [[1], [2]],
    });
    expect(body.labels).toBeUndefined();
  });

  it('takes lone values for one row', async () => {
    const { post } = await serve(table());
    const { body } = await post('/v1/predict', { plan: 'pro', hours: 1.5, months: 7 });
    expect(body.outputs).toEqual({ plan: [['pro']], hours: [[1.5]], months: [[7]] });
  });

  it('keeps 64-bit integers exact both ways', async () => {
    const { post } = await serve(identity('big', spec('n', 'INT64', [-1])));
    const { text } = await post('/v1/predict', '{"n": [9223372036854775807, -9007199254740993]}');
    expect(text).toContain('"n":[9223372036854775807,-9007199254740993]');
  });

  it('carries bytes that are no text as b64, both ways', async () => {
    const { post } = await serve(identity('raw', spec('blob', 'BYTES', [-1])));
    const bytes = { b64: Buffer.from([0xff, 0x00, 0x80]).toString('base64') };
    expect((await post('/v1/predict', { blob: [bytes] })).body.outputs).toEqual({ blob: [bytes] });
    expect((await post('/v1/predict', { inputs: bytes })).body.outputs).toEqual({ blob: [bytes] });
    expect((await post('/v1/predict', { blob: ['a {"b64"} in text'] })).body.outputs).toEqual({
      blob: ['a {"b64"} in text'],
    });
  });

  it('picks outputs', async () => {
    const { post } = await serve(flowers());
    const { body } = await post('/v1/predict', { X: [ROW], outputs: ['label'] });
    expect(body.outputs).toEqual({ label: [2] });
    expect(body.labels).toEqual({ label: ['virginica'] });
  });

  it('wants the model named where several are served', async () => {
    const { post } = await serve(flowers(), flowers('roses'));
    const refused = await post('/v1/predict', { X: [ROW] });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      code: 'INVALID_INPUT',
      details: { where: 'model', expected: ['iris', 'roses'] },
    });
    const named = await post('/v1/predict', { model: 'roses', version: 1, X: [ROW] });
    expect(named.body).toMatchObject({ model: 'roses', version: '1' });
    expect((await post('/v1/predict', { model: 'tulips', X: [ROW] })).status).toBe(404);
    expect((await post('/v1/predict', { model: 'roses', version: '9', X: [ROW] })).status).toBe(404);
  });

  it('serves a model with an input called model, by the nested form', async () => {
    const { post } = await serve(identity('cars', spec('model', 'BYTES', [-1])));
    const { body } = await post('/v1/predict', { model: 'cars', inputs: { model: ['T'] } });
    expect(body.outputs).toEqual({ model: ['T'] });
  });

  it.each([
    ['a misspelt input', { x1: [ROW] }, /x1: no input has this name; the inputs are 'X' \(FP32 \[N,4\]\)/],
    ['no input at all', {}, /'X'.*missing/],
    ['too few columns', { X: [[1, 2, 3]] }, /X: the model takes \[N,4\], the values have the shape \[1,3\]/],
    ['ragged rows', { X: [ROW, [1]] }, /X\[1\]: expected 4 elements/],
    ['text for numbers', { X: [['a', 'b', 'c', 'd']] }, /X\[0\]\[0\]: expected a number/],
    ['an object for numbers', { X: { a: 1 } }, /X: expected/],
    [
      'something beside inputs',
      { inputs: { X: [ROW] }, Y: 1 },
      /Y: expected only model, version and outputs/,
    ],
    ['an unknown output', { X: [ROW], outputs: ['nope'] }, /no output is called 'nope'/],
    ['a number as the model', { model: 5, X: [ROW] }, /model: expected a string/],
    ['a broken version', { version: 1.5, X: [ROW] }, /version: expected a string or a whole number/],
    ['outputs that are no list', { X: [ROW], outputs: 'label' }, /outputs: expected an array/],
  ])('refuses %s and says where', async (_, request, message) => {
    const { post } = await serve(flowers());
    const { status, body } = await post('/v1/predict', request);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'INVALID_INPUT', error: expect.stringMatching(message) });
  });

  it('shows inputs that work beside what was wrong', async () => {
    const { post } = await serve(flowers());
    const { body } = await post('/v1/predict', { X: [[1]] });
    expect(body.error).toContain('; inputs that work: {"inputs":{"X":[[5.1,1,1.4,0.2]]}}');
    const { example } = body.details as { example: unknown };
    expect((await post('/v1/predict', example)).status).toBe(200);
  });

  it.each([
    ['nothing', '', 400],
    ['no JSON', 'hello', 400],
    ['an array', '[1]', 400],
    ['two objects', '{"X":[[1,2,3,4]]}{}', 400],
    ['a key twice', '{"X":[[1,2,3,4]],"X":[[1,2,3,4]]}', 400],
    ['deep nesting', `{"X":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400],
    ['deep nesting of b64', `{"X":${'['.repeat(60)}{"b64":""}${']'.repeat(60)}}`, 400],
    ['an open string', '{"X', 400],
  ])('refuses %s and goes on', async (_, text, status) => {
    const { post, deps } = await serve(flowers());
    expect((await post('/v1/predict', text)).status).toBe(status);
    expect((await post('/v1/predict', { X: [ROW] })).status).toBe(200);
    expect(deps.outcomes.map(({ code }) => code)).toEqual(['INVALID_INPUT', 'OK']);
  });

  it('refuses bodies that say to be something else, but takes what curl -d says', async () => {
    const { post } = await serve(flowers());
    expect((await post('/v1/predict', { X: [ROW] }, { 'content-type': 'image/png' })).status).toBe(415);
    const curl = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('/v1/predict', { X: [ROW] }, curl)).status).toBe(200);
  });

  it('is counted under its route with the model that answered', async () => {
    const { post, deps } = await serve(flowers());
    await post('/v1/predict', { X: [ROW] });
    expect(deps.outcomes).toEqual([
      expect.objectContaining({ route: '/v1/predict', model: 'iris', version: '1', code: 'OK' }),
    ]);
    expect(deps.outcomes[0]?.decodeNs).toBeGreaterThan(0);
    expect(deps.outcomes[0]?.encodeNs).toBeGreaterThan(0);
  });

  it('is not ready without a model', async () => {
    const { post } = await serve();
    expect((await post('/v1/predict', { X: [ROW] })).status).toBe(503);
  });

  it('releases the response once', async () => {
    let released = 0;
    const served = flowers();
    const model = {
      ...served.model,
      infer: async (...args: Parameters<typeof served.model.infer>) => {
        const response = await served.model.infer(...args);
        const { owner } = response;
        return {
          ...response,
          owner: {
            ...owner,
            holders: 1,
            retain() {},
            release() {
              released += 1;
            },
          },
        };
      },
    };
    const { post } = await serve({ ...served, model });
    await post('/v1/predict', { X: [ROW] });
    expect(released).toBe(1);
  });
});
