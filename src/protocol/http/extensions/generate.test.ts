import { afterEach, describe, expect, it } from 'vitest';
import { toBytesData } from '../../../base/tensor/bytes.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import type { RequestContext } from '../../../model/context.ts';
import type { InferRequest } from '../../../model/request.ts';
import type { Signature, TensorSpec } from '../../../model/signature.ts';
import { createFakeDeps, echo } from '../fake-registry.ts';
import { createHttpServer, type HttpServer } from '../server.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

function spec(
  name: string,
  datatype: TensorSpec['datatype'],
  shape: readonly number[],
  optional = false,
): TensorSpec {
  return { name, datatype, shape, dimensionNames: [], ...(optional ? { optional } : {}) };
}

const INPUTS = [
  spec('text_input', 'BYTES', [-1, 1]),
  spec('temperature', 'FP32', [1], true),
  spec('seeds', 'INT64', [-1, 2], true),
];
const TEXT: Signature = {
  inputs: INPUTS,
  outputs: [spec('text_output', 'BYTES', [-1]), spec('tokens', 'INT64', [-1])],
  batchAxis: 'none',
};
const ANSWER: readonly Tensor[] = [
  { name: 'text_output', datatype: 'BYTES', shape: [1, 1], data: toBytesData(['two\n"lines"']) },
  { name: 'tokens', datatype: 'INT64', shape: [3], data: BigInt64Array.of(1n, 2n, 2n ** 60n) },
];

async function serve(signature: Signature = TEXT, outputs: readonly Tensor[] = ANSWER, parameters = {}) {
  const asked: { request: InferRequest; context: RequestContext }[] = [];
  const deps = createFakeDeps([
    {
      name: 'm',
      signature,
      async infer(request, context) {
        asked.push({ request, context });
        return { ...echo(request, signature), outputs, parameters };
      },
    },
  ]);
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  const post = async (body: unknown, path = 'm/generate', headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/v2/models/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  return { asked, deps, post };
}

describe('generate', () => {
  it('takes values by input name, and gives values by output name', async () => {
    const { asked, deps, post } = await serve();
    const answer = await post({
      text_input: 'hello',
      id: '42',
      parameters: { stream: false, temperature: 0.5 },
      top_k: 3,
    });
    expect(answer).toMatchObject({ status: 200, type: 'application/json' });
    expect(answer.text).toBe(
      '{"id":"42","model_name":"m","model_version":"1","text_output":"two\\n\\"lines\\"","tokens":[1,2,1152921504606846976]}',
    );
    expect(asked[0]?.request).toMatchObject({
      id: '42',
      parameters: { stream: false, top_k: 3 },
      inputs: [
        { name: 'text_input', datatype: 'BYTES', shape: [1, 1] },
        { name: 'temperature', datatype: 'FP32', shape: [1], data: Float32Array.of(0.5) },
      ],
    });
    expect(deps.outcomes).toMatchObject([{ model: 'm', route: '/v2/models/{model}/generate', code: 'OK' }]);
  });

  it('gives the shape that the elements fill', async () => {
    const { asked, post } = await serve();
    await post({ text_input: ['a', 'b', 'c'], seeds: [1, 2, 3, 4], temperature: null });
    expect(asked[0]?.request.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['text_input', [3, 1]],
      ['seeds', [2, 2]],
    ]);
  });

  it('has a version and a deadline as every inference', async () => {
    const { asked, post } = await serve();
    expect((await post({ text_input: 'a' }, 'm/versions/1/generate')).status).toBe(200);
    expect(asked[0]?.request).toMatchObject({ model: 'm', version: '1' });
    const late = await post({ text_input: 'a', timeout: 'soon' });
    expect(JSON.parse(late.text).error).toContain('parameters.timeout: expected microseconds');
    expect((await post({ text_input: 'a' }, 'm/versions/2/generate')).status).toBe(404);
  });

  it('has what says something about the answer before outputs of the same name', async () => {
    const outputs = [
      { ...ANSWER[1]!, name: 'model_name' },
      { ...ANSWER[1]!, name: 'score' },
    ];
    const { post } = await serve(TEXT, outputs, { score: 0.5, done: true, why: 'end' });
    expect((await post({ text_input: 'a' })).text).toBe(
      '{"model_name":"m","model_version":"1","score":0.5,"done":true,"why":"end"}',
    );
  });

  it('streams one event', async () => {
    const { post } = await serve();
    expect(await post({ text_input: 'a' }, 'm/generate_stream')).toEqual({
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      text: 'data: {"model_name":"m","model_version":"1","text_output":"two\\n\\"lines\\"","tokens":[1,2,1152921504606846976]}\n\n',
    });
    const refused = await post({}, 'm/generate_stream');
    expect([refused.status, refused.type]).toEqual([400, 'application/json']);
  });

  it.each([
    [{}, "body: expected a member 'text_input' with the values of that input (BYTES [?,1]), got none"],
    [
      { text_input: [['a']] },
      'text_input: expected a value or a flat list of them, got lists nested as [1,1]',
    ],
    [{ text_input: 7 }, 'text_input: expected a string'],
    [
      { text_input: 'a', seeds: [1, 2, 3] },
      "seeds: expected a multiple of 2 elements for the input's shape [?,2], got 3",
    ],
    [
      { text_input: 'a', temperature: [1, 2] },
      "temperature: expected 1 element for the input's shape [1], got 2",
    ],
    [
      { text_input: 'a', parameters: { text_input: 'b' } },
      'parameters.text_input: this input is given twice',
    ],
    [{ text_input: 'a', stop: ['x'] }, 'stop: expected a string, a number or a boolean'],
    [{ text_input: 'a', parameters: 7 }, 'parameters: expected an object'],
    [{ text_input: 'a', id: 7 }, 'id: expected a string'],
    ['', 'body: expected'],
    ['{"text_input": "a"} x', 'body: expected nothing after the JSON object'],
  ])('refuses %j', async (body, message) => {
    const { asked, post } = await serve();
    const { status, text } = await post(body);
    expect([status, JSON.parse(text).error]).toEqual([400, expect.stringContaining(message)]);
    expect(asked).toEqual([]);
  });

  it('refuses models whose inputs such a body cannot name, and outputs that are no text', async () => {
    const { post } = await serve({ ...TEXT, inputs: [...INPUTS, spec('parameters', 'FP32', [1])] });
    const { status, text } = await post({ text_input: 'a' });
    expect(status).toBe(501);
    expect(JSON.parse(text).error).toContain("the model has an input 'parameters'");
    const bytes = { bytes: Uint8Array.of(0xff), offsets: Uint32Array.of(0, 1) };
    const other = await serve(TEXT, [{ ...ANSWER[0]!, data: bytes }]);
    expect((await other.post({ text_input: 'a' })).status).toBe(400);
    expect(
      (await other.post({ text_input: 'a' }, 'm/generate', { 'content-type': 'text/plain' })).status,
    ).toBe(415);
  });
});
