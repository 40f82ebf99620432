import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { connect } from '../../test/support/grpc-client.ts';
import { type Running, runNimify, startNimify } from '../../test/support/nimify.ts';
import { GRPCInferenceService } from '../protocol/grpc/generated/inference/service_pb.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../test/fixtures/${name}`, import.meta.url));
const DEMO = fileURLToPath(new URL('../../examples/demo', import.meta.url));
const FREE_PORTS = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];

const started: Running[] = [];

afterEach(async () => {
  for (const { process, finished } of started.splice(0)) {
    process.kill('SIGKILL');
    await finished;
  }
});

async function serve(
  ...args: readonly string[]
): Promise<{ readonly running: Running; readonly url: string }> {
  const running = startNimify(['serve', ...FREE_PORTS, ...args]);
  started.push(running);
  const [, url = ''] = await running.printed(/ at (http:\S+)[\s\S]*docs {5}/);
  return { running, url };
}

function askSlow(url: string): Promise<Response> {
  return fetch(`${url}/v1/predict`, {
    method: 'POST',
    body: '{"x":[2.5]}',
    headers: { 'content-type': 'application/json' },
  });
}

describe('nimify serve', () => {
  it('prints for each model a line that works when pasted, and the answer to expect', async () => {
    const { running, url } = await serve(DEMO);
    const { 1: banner = '' } = await running.printed(/^([\s\S]*docs.*\n)/);
    const calls = [...banner.matchAll(/^ {2}((?:curl|awk) .*)\n {2}-> (.*)$/gm)];
    expect(calls).toHaveLength(4);
    expect(banner).toContain(`docs     ${url}/docs`);
    for (const [, command = '', expected = ''] of calls) {
      const { stdout } = await promisify(execFile)('sh', ['-c', command]);
      expect(stdout.startsWith(expected.replace(/\.\.\. \(\d+ characters\)$/, ''))).toBe(true);
      expect(JSON.parse(stdout)).toHaveProperty('outputs');
    }
    running.process.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ exitCode: 0 });
  });

  it('serves one model under the name given, and tells predict which it is', async () => {
    const { url } = await serve(`${DEMO}/iris/model.onnx`, '--model-name', 'flowers');
    const { stdout, exitCode } = await runNimify('predict', url, 'X=5.1,3.5,1.4,0.2', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model_name: 'flowers' });
    const byPath = await runNimify('predict', `${url}/v2/models/flowers/versions/1`, '5.1,3.5,1.4,0.2');
    expect(byPath).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('label') });
  });

  it('asks for the name where several models are served', async () => {
    const { url } = await serve(DEMO);
    const { exitCode, stderr } = await runNimify('predict', url, 'X=1');
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(/name the model with --model; it serves churn, digits, iris, langid/);
  });

  it('lets running requests finish after SIGTERM, then exits with 0', async () => {
    const { running, url } = await serve(fixture('slow.onnx'), '--engine-host', 'thread', '--instances', '1');
    const calls = Array.from({ length: 6 }, () => askSlow(url));
    const first = await Promise.race(calls);
    running.process.kill('SIGTERM');
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(first.status).toBe(200);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await running.finished).toMatchObject({ exitCode: 0 });
    await expect(askSlow(url)).rejects.toThrow();
  });

  it.each([
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ] as const)('ends at once on %s and then %s', async (first, second) => {
    const { running, url } = await serve(fixture('slow.onnx'), '--engine-host', 'thread', '--instances', '1');
    // Many, so that some are left after a second on a fast machine too.
    const calls = Array.from({ length: 300 }, () =>
      askSlow(url).then(
        ({ status }) => status,
        () => 'cut off',
      ),
    );
    await Promise.race(calls);
    running.process.kill(first);
    // One press of Ctrl-C below npm arrives twice; a second word of the user's comes later.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    running.process.kill(second);
    expect(await running.finished).toMatchObject({
      exitCode: undefined,
      signal: expect.stringMatching(/SIGTERM|SIGINT/),
    });
    expect(await Promise.all(calls)).toContain('cut off');
  });

  it('does not wait longer than the grace period', async () => {
    const { running, url } = await serve(
      ...[fixture('slow.onnx'), '--engine-host', 'thread', '--instances', '1', '--grace-ms', '0'],
    );
    const calls = Array.from({ length: 200 }, () =>
      askSlow(url).then(
        ({ status }) => status,
        () => 'cut off',
      ),
    );
    await Promise.race(calls);
    running.process.kill('SIGTERM');
    const { exitCode, signal } = await running.finished;
    expect([0, undefined]).toContain(exitCode);
    expect(signal).not.toBe('SIGABRT');
    await Promise.all(calls);
  });

  it('says what to do where the port is busy', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const { exitCode, stdout, stderr } = await runNimify(
      'serve',
      DEMO,
      '--http-port',
      String(port),
      '--metrics-port',
      '0',
    );
    blocker.close();
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: '' });
    expect(stderr).toMatch(/the port is busy; pass another --http-port/);
  });

  it.each([
    ['an address that others reach', [DEMO, '--host', '0.0.0.0'], 78, /add --no-auth/],
    [
      'two ports that are one',
      [DEMO, '--http-port', '8002'],
      78,
      /server.metricsPort \(default\) and server.httpPort \(flag --http-port\) are both 8002/,
    ],
    ['a path that is not there', ['nowhere.onnx'], 66, /there is no such file or folder/],
    ['a file that is no model', [fixture('not_a_model.onnx'), ...FREE_PORTS], 65, /not an ONNX model/],
    [
      'one name for two models',
      ['a.onnx', 'b.onnx', '--model-name', 'm'],
      78,
      /names one model, but 2 are given/,
    ],
  ])('refuses %s', async (_, args, expected, message) => {
    const { exitCode, stderr } = await runNimify('serve', ...args);
    expect(exitCode).toBe(expected);
    expect(stderr).toMatch(message);
  });

  it('answers over gRPC where its banner says', async () => {
    const { running } = await serve(`${DEMO}/iris/model.onnx`);
    const [, port] = await running.printed(/^grpc +127\.0\.0\.1:(\d+)$/m);
    const client = connect(Number(port));
    const { modelInfer } = GRPCInferenceService.method;
    const answer = await client.unary(modelInfer, {
      modelName: 'iris',
      inputs: [
        { name: 'X', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: [5.1, 3.5, 1.4, 0.2] } },
      ],
      outputs: [{ name: 'label' }],
    });
    expect(answer.rawOutputContents.map((raw) => [...raw])).toEqual([[0, 0, 0, 0, 0, 0, 0, 0]]);
    client.close();
    running.process.kill('SIGTERM');
    await running.finished;
  });
});
