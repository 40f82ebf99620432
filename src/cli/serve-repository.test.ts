import { afterEach, describe, expect, it } from 'vitest';
import { IRIS, modelRepository, TRUNCATED } from '../../test/support/model-repository.ts';
import { type Running, runNimify, startNimify } from '../../test/support/nimify.ts';

const FREE_PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
const started: Running[] = [];

afterEach(async () => {
  for (const { process, finished } of started.splice(0)) {
    process.kill('SIGKILL');
    await finished;
  }
});

async function serve(...args: readonly string[]) {
  const running = startNimify(['serve', ...FREE_PORTS, ...args]);
  started.push(running);
  const [, url = ''] = await running.printed(/ at (http:\S+)[\s\S]*docs {5}/);
  return { running, url };
}

async function infer(
  url: string,
  model: string,
): Promise<{ readonly status: number; readonly version: string }> {
  const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }];
  const response = await fetch(`${url}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  const { model_version: version = '' } = (await response.json()) as { model_version?: string };
  return { status: response.status, version };
}

describe('nimify serve with a model repository', () => {
  const repository = modelRepository();

  it('serves what it can, names what it cannot, and is ready', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(IRIS, 'iris/12/model.onnx');
    repository.write('iris/config.pbtxt', 'max_batch_size: 4 response_cache { enable: true }');
    repository.write('script/config.pbtxt', 'backend: "python"');
    repository.write('script/1/model.py', '');
    const { running, url } = await serve(repository.path);
    expect(await infer(url, 'iris')).toEqual({ status: 200, version: '12' });
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    running.process.kill('SIGTERM');
    const { stderr, exitCode } = await running.finished;
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/"model":"iris".*"field":"response_cache".*config\.pbtxt:1:19: response_cache: /);
    expect(stderr).toMatch(
      /"model":"script","version":"1","reason":"[^"]*the backend 'python' is none of nimify's/,
    );
  });

  it('answers every request while versions come and go', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const { running, url } = await serve(
      ...[repository.path, '--model-control-mode', 'poll', '--repository-poll-secs=1'],
    );
    const seen: string[] = [];
    for (let version = 2; seen.at(-1) !== '200 3'; ) {
      const { status, version: answered } = await infer(url, 'iris');
      if (seen.at(-1) !== `${status} ${answered}`) seen.push(`${status} ${answered}`);
      if (version <= 3 && answered === String(version - 1)) {
        repository.copy(IRIS, `iris/${version}/model.onnx`);
        version += 1;
      }
    }
    expect(seen).toEqual(['200 1', '200 2', '200 3']);
    repository.copy(TRUNCATED, 'iris/4/model.onnx');
    await running.logged(/"version":"4".*could not be loaded; what was served before goes on answering/);
    expect(await infer(url, 'iris')).toEqual({ status: 200, version: '3' });
    expect(await (await fetch(`${url}/v1/metrics`)).text()).toContain(
      'nimify_model_outdated{model="iris"} 1',
    );
    running.process.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ exitCode: 0 });
  });

  it('loads at the start what it is told to, and no more', async () => {
    for (const name of ['a', 'b', 'c']) repository.copy(IRIS, `${name}/1/model.onnx`);
    const { url } = await serve(
      ...[repository.path, '--model-control-mode=explicit', '--load-model', 'a', '--load-model=c'],
    );
    const statuses = await Promise.all(['a', 'b', 'c'].map(async (name) => (await infer(url, name)).status));
    expect(statuses).toEqual([200, 404, 200]);
  });

  it('takes tritonserver at its word about errors and readiness', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(TRUNCATED, 'half/1/model.onnx');
    const refused = await runNimify('serve', ...FREE_PORTS, repository.path);
    expect(refused.exitCode).toBe(65);
    expect(refused.stderr).toContain(repository.at('half/1/model.onnx'));
    const strict = await serve(repository.path, '--exit-on-error=false');
    expect((await fetch(`${strict.url}/v2/health/ready`)).status).toBe(400);
    expect((await infer(strict.url, 'iris')).status).toBe(200);
    const lenient = await serve(repository.path, '--exit-on-error', 'false', '--strict-readiness', 'false');
    expect((await fetch(`${lenient.url}/v2/health/ready`)).status).toBe(200);
  });

  it.each([
    ['--model-control-mode', 'sometimes', /expected one of none, poll, explicit/],
    ['--repository-poll-secs', '0', /expected a whole number of seconds from 1/],
    ['--exit-on-error', 'maybe', /expected true or false/],
  ])('refuses %s %s', async (flag, value, says) => {
    const { exitCode, stderr } = await runNimify('serve', repository.path, flag, value);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(says);
  });
});
