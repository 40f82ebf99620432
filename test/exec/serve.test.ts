/** A Python function over HTTP, by the command line. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../require.ts';
import { type Running, startNimify } from '../support/nimify.ts';
import { ENCODINGS, infer, type Refusal } from '../support/oip-client.ts';
import { tensor } from '../support/tensor.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const PORTS = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];

async function start(
  ...args: readonly string[]
): Promise<{ readonly server: Running; readonly url: string }> {
  const server = startNimify(['serve', ...args, ...PORTS]);
  const [, url] = await server.printed(/at (http:\S+)/);
  return { server, url: url! };
}

const predict = (url: string, body: unknown) =>
  fetch(`${url}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Resolves once a line of the log has this in it. */
function logged(server: Running, text: string): Promise<void> {
  return new Promise((resolve) => {
    let seen = '';
    server.process.stderr?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
  });
}

describeWith(['python'], 'a served Python function', () => {
  let server: Running;
  let url: string;

  beforeAll(async () => {
    const typed = `typed=${FIXTURES}/annotated.py:typed_dict`;
    const pair = `pair=${FIXTURES}/annotated.py:named_tuple`;
    ({ server, url } = await start(`${FIXTURES}/unruly.py:predict`, typed, pair));
  });

  afterAll(async () => {
    server?.process.kill('SIGTERM');
    await server?.finished;
  });

  it.each(ENCODINGS)('answers over the Open Inference Protocol, as %s', async (encoding) => {
    const text = await infer(url, 'unruly', [tensor('what', 'BYTES', [2], ['grün', '😀'])], encoding);
    expect(text.outputs).toEqual([tensor('output', 'BYTES', [2], ['GRÜN', '😀'])]);
    const { outputs } = await infer(url, 'pair', [tensor('x', 'INT64', [], [2n ** 53n + 1n])], encoding, {
      outputs: ['first'],
    });
    expect(outputs).toEqual([tensor('first', 'INT64', [], [2n ** 53n + 2n])]);
  });

  it('answers the plain form, and lets defaults be left out', async () => {
    const plain = await predict(url, {
      model: 'typed',
      features: [
        [0, 1],
        [0.25, 0.125],
      ],
    });
    expect(await plain.json()).toMatchObject({ outputs: { label: ['high', 'low'], score: [1, 0.375] } });
    const both = await predict(url, { model: 'typed', features: [[0, 1]], threshold: 2 });
    expect(await both.json()).toMatchObject({ outputs: { label: ['low'] } });
  });

  it('tells its signature', async () => {
    const metadata = await (await fetch(`${url}/v2/models/typed`)).json();
    expect(metadata).toMatchObject({
      name: 'typed',
      platform: 'exec_python',
      inputs: [
        { name: 'features', datatype: 'FP32', shape: [-1, 2] },
        { name: 'threshold', datatype: 'FP64', shape: [] },
      ],
    });
  });

  it('refuses with the status of what went wrong, and tells no secrets', async () => {
    const refusal = (word: string) =>
      infer(url, 'unruly', [tensor('what', 'BYTES', [1], [word])], 'json').then(
        () => expect.unreachable(),
        ({ status, body }: Refusal) => ({ status, code: body.code, error: String(body.error) }),
      );
    expect(await refusal('bad input')).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
    const raised = await refusal('raise');
    expect(raised).toMatchObject({ status: 500, code: 'ENGINE_FAILED' });
    expect(raised.error).not.toContain('1234');
    expect(await refusal('kill')).toMatchObject({ status: 503, code: 'ENGINE_CRASHED' });
    const after = await infer(url, 'unruly', [tensor('what', 'BYTES', [1], ['a'])], 'json');
    expect(after.outputs[0]?.values).toEqual(['A']);
  });
});

describeWith(['python'], 'SIGTERM', () => {
  it('lets the run of a Python function end, also where every process gets the signal', async () => {
    const { server, url } = await start(`${FIXTURES}/unruly.py`);
    const [{ values: [pid] = [] } = {}] = (
      await infer(url, 'unruly', [tensor('what', 'BYTES', [1], ['pid'])], 'json')
    ).outputs;
    const isNapping = logged(server, 'asked for nap');
    const napping = predict(url, { what: ['nap'] });
    await isNapping;
    server.process.kill('SIGTERM');
    process.kill(Number(pid), 'SIGTERM');
    expect(await (await napping).json()).toMatchObject({ outputs: { output: ['NAP'] } });
    const { exitCode, stderr } = await server.finished;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('asked for nap');
    expect(stderr).not.toContain('"level":"error"');
  });

  it('ends a run that outlasts the grace period', async () => {
    const { server, url } = await start(`${FIXTURES}/unruly.py`, '--grace-ms', '200');
    const isSleeping = logged(server, 'asked for sleep');
    const sleeping = predict(url, { what: ['sleep'] }).catch(() => undefined);
    await isSleeping;
    server.process.kill('SIGTERM');
    await sleeping;
    const { exitCode, stderr } = await server.finished;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain('outlasts the grace period');
  });
});

describeWith(['python'], 'serve says why a Python file cannot be served', () => {
  it.each([
    ['missing_module.py', /needs the module 'module_that_nobody_has'/],
    ['annotated.py:nope', /has no function 'nope'/],
    ['nothing.py:predict', /there is no such file/],
  ])('%s', async (file, reason) => {
    const { exitCode, stderr } = await startNimify(['serve', join(FIXTURES, file), ...PORTS]).finished;
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(reason);
  });
});
