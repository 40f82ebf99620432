import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../test/support/grpc-client.ts';
import { type Finished, type Running, startNimify } from '../../test/support/nimify.ts';

import { GRPCInferenceService } from '../protocol/grpc/generated/inference/service_pb.ts';

const DEMO = fileURLToPath(new URL('../../examples/demo', import.meta.url));
const SLOW = fileURLToPath(new URL('../../test/fixtures/slow.onnx', import.meta.url));

let folder: string;
const started: Running[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-configured-'));
});

afterEach(async () => {
  for (const { process, finished } of started.splice(0)) {
    process.kill('SIGKILL');
    await finished;
  }
  rmSync(folder, { recursive: true });
});

function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return startNimify(args, { cwd: folder, env }).finished;
}

async function serve(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const running = startNimify(['serve', ...args], { cwd: folder, env });
  started.push(running);
  const [, url = ''] = await running.printed(/ at (http:\S+)[\s\S]*docs {5}/);
  return { running, url };
}

async function modelsAt(url: string): Promise<unknown> {
  return (await fetch(`${url}/v1/models`)).json();
}

const JSON_TYPE = { 'content-type': 'application/json' };
const FREE_PORTS = 'server: {httpPort: 0, grpcPort: 0, metricsPort: 0}\n';

describe('nimify serve with nimify.yaml', () => {
  it('serves its models under their names, each with its settings', async () => {
    cpSync(join(DEMO, 'iris'), join(folder, 'iris'), { recursive: true });
    put(
      'nimify.yaml',
      `${FREE_PORTS}models:\n  - path: iris\n    name: flowers\n  - path: ${SLOW}\n    timeoutMs: 1\n    engine: {host: thread, instances: 1}\n`,
    );
    const { running, url } = await serve();
    expect(JSON.stringify(await modelsAt(url))).toMatch(/flowers.*slow/);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${url}/v2/models/slow/infer`, {
          method: 'POST',
          headers: JSON_TYPE,
          body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [2.5] }] }),
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toContain(504);
    running.process.kill('SIGTERM');
    const { stderr, exitCode } = await running.finished;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('"file":"nimify.yaml","msg":"configuration read"');
    expect(stderr).toMatch(
      /"route":"\/v2\/models\/\{model\}\/infer","model":"slow".*"code":"DEADLINE_EXCEEDED"/,
    );
  });

  it('takes paths on the command line instead of its models, and keeps its settings', async () => {
    put('nimify.yaml', `${FREE_PORTS}models: [nowhere.onnx]\n`);
    const { url } = await serve([join(DEMO, 'iris')]);
    expect(JSON.stringify(await modelsAt(url))).toContain('iris');
  });

  it('writes access lines where they are asked for, with the id of the request', async () => {
    const { running, url } = await serve([join(DEMO, 'iris')], {
      NIMIFY_HTTP_PORT: '0',
      NIMIFY_GRPC_PORT: '0',
      NIMIFY_METRICS_PORT: '0',
      NIMIFY_LOG_ACCESS_SHARE: '1',
      NIM_JSONL_LOGGING: '1',
      NIM_SERVED_MODEL_NAME: 'nim',
    });
    const reply = await fetch(`${url}/v1/predict`, {
      method: 'POST',
      body: '{"X":[[5.1,3.5,1.4,0.2]]}',
      headers: { ...JSON_TYPE, 'x-request-id': 'my-request' },
    });
    expect(reply.headers.get('x-request-id')).toBe('my-request');
    running.process.kill('SIGTERM');
    const lines = (await running.finished).stderr.split('\n').filter((line) => line.includes('my-request'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        level: 'info',
        requestId: 'my-request',
        route: '/v1/predict',
        model: 'nim',
        code: 'OK',
        msg: 'request',
      },
    ]);
  });

  it('holds gRPC to what file, variable and flag say of it', async () => {
    put('nimify.yaml', `${FREE_PORTS}grpc: {maxReceiveMessageBytes: 300, maxSendMessageBytes: 1KiB}\n`);
    const { running } = await serve(
      [join(DEMO, 'iris'), '--grpc-max-receive-message-bytes', '200', '--max-connections', '1'],
      { NIMIFY_GRPC_MAX_SEND_MESSAGE_BYTES: '80' },
    );
    const [, port] = await running.printed(/grpc {5}\S+:(\d+)/);
    const client = connect(Number(port));
    const ask = (rows: number) => {
      const inputs = [{ name: 'X', datatype: 'FP32', shape: [BigInt(rows), 4n] }];
      const rawInputContents = [new Uint8Array(16 * rows)];
      return client.unary(GRPCInferenceService.method.modelInfer, {
        ...{ modelName: 'iris', inputs, rawInputContents, outputs: [{ name: 'label' }] },
      });
    };
    expect(await ask(1)).toMatchObject({ modelName: 'iris' });
    for (const [rows, says] of [
      [8, 'answer: expected at most 80 bytes'],
      [20, 'message: expected at most 200 bytes'],
    ] as const) {
      await expect(ask(rows)).rejects.toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        details: expect.stringContaining(says),
      });
    }
    const stream = client.stream(GRPCInferenceService.method.modelStreamInfer);
    stream.send({ modelName: 'none' });
    await stream.next();
    // With a connection of its own, which grpc-js else would share.
    const second = connect(Number(port), { 'grpc.use_local_subchannel_pool': 1 });
    await expect(second.unary(GRPCInferenceService.method.serverLive, {})).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    client.close();
    second.close();
  });

  it('refuses a key that does not exist, with its place', async () => {
    put('mine.yaml', 'server:\n  htpPort: 1\n');
    expect(await run(['serve', '--config', 'mine.yaml'])).toMatchObject({
      exitCode: 78,
      stderr: 'error: mine.yaml:2:3: server.htpPort: there is no such key; did you mean `httpPort`?\n',
    });
  });

  it('refuses an execution provider that is not there, with the command that installs it', async () => {
    put(
      'nimify.yaml',
      `${FREE_PORTS}defaults: {engine: {providers: [{name: cuda, deviceId: 0}]}}\nlog: {level: error}\n`,
    );
    const { exitCode, stderr } = await run(['serve', join(DEMO, 'iris')]);
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/execution provider 'cuda'/);
  });
});

describe('nimify config', () => {
  it('prints what holds and where it comes from', async () => {
    put('nimify.yaml', 'server:\n  httpPort: 9\nmodels: [{path: a.onnx, timeoutMs: 1s}]\n');
    const { stdout, exitCode } = await run(['config', '--log-level', 'warn'], {
      NIMIFY_GRACE_MS: '5s',
      NIMIFY_HOTS: '1',
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^configuration file: nimify.yaml$/m);
    expect(stdout).toMatch(/^server\.httpPort +9 +file nimify.yaml:2$/m);
    expect(stdout).toMatch(/^server\.graceMs +5000 +env NIMIFY_GRACE_MS$/m);
    expect(stdout).toMatch(/^log\.level +warn +flag --log-level$/m);
    expect(stdout).toMatch(/^server\.host +127\.0\.0\.1 +default$/m);
    expect(stdout).toMatch(/^models\[0\]\.timeoutMs +1000 +file nimify.yaml:3$/m);
    expect(stdout).toMatch(/^warning: NIMIFY_HOTS is no variable of nimify; did you mean NIMIFY_HOST\?$/m);
  });

  it('prints the same for machines', async () => {
    const { stdout } = await run(['config', 'm=x.onnx', '--json', '--providers', 'cuda,cpu', '--no-auth']);
    expect(JSON.parse(stdout)).toMatchObject({
      file: null,
      settings: {
        'server.auth': { value: 'none', origin: { from: 'flag', name: '--no-auth' } },
        'defaults.engine.providers': {
          value: ['cuda', 'cpu'],
          origin: { from: 'flag', name: '--providers' },
        },
        'defaults.engine.instances': { value: null, origin: { from: 'default' } },
      },
      models: [{ path: 'x.onnx', name: 'm', origin: { from: 'argument' } }],
      warnings: [],
    });
  });

  it('prints the schema', async () => {
    const { stdout } = await run(['config', '--schema']);
    expect(JSON.parse(stdout)).toMatchObject({
      title: 'nimify.yaml',
      properties: { server: { properties: {} } },
    });
  });
});

describe('nimify init', () => {
  beforeEach(() => {
    cpSync(join(DEMO, 'iris'), join(folder, 'iris'), { recursive: true });
    cpSync(join(DEMO, 'iris/model.onnx'), join(folder, 'odd name.onnx'));
  });

  it('writes a file that serves what is there', async () => {
    expect(await run(['init'])).toMatchObject({
      exitCode: 0,
      stdout: 'wrote nimify.yaml with 2 models; next: nimify serve\n',
    });
    const text = readFileSync(join(folder, 'nimify.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=https:\/\//);
    const { url } = await serve(['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0']);
    expect(JSON.stringify(await modelsAt(url))).toMatch(/iris.*odd name/);
  });

  it('replaces nothing unless told to', async () => {
    put('nimify.yaml', '# mine\n');
    expect(await run(['init'])).toMatchObject({
      exitCode: 73,
      stderr: 'error: nimify.yaml is there already; --force replaces it\n',
    });
    expect(readFileSync(join(folder, 'nimify.yaml'), 'utf8')).toBe('# mine\n');
    expect(await run(['init', '--force'])).toMatchObject({ exitCode: 0 });
  });

  it('writes into another folder', async () => {
    const { stdout } = await run(['init', 'iris']);
    expect(stdout).toBe(
      'wrote iris/nimify.yaml with 1 model; next: nimify serve --config iris/nimify.yaml\n',
    );
    const { stdout: shown } = await run(['config', '--config', 'iris/nimify.yaml']);
    expect(shown).toMatch(/^models\[0\] +iris\/model\.onnx as iris +file iris\/nimify\.yaml:\d+$/m);
  });
});

describe('nimify doctor', () => {
  const free = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];

  it('looks at everything, and ends with 0 where nothing fails', async () => {
    const { exitCode, stdout } = await run(['doctor', ...free]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {4}engine +ONNX Runtime \d+\.\d+\.\d+ loads$/m);
    expect(stdout).toMatch(/nimify can serve here/);
  });

  it('tells machines, and ends with the code of what fails', async () => {
    put('nimify.yaml', 'server: {host: 0.0.0.0}\n');
    const { exitCode, stdout } = await run(['doctor', '--json', ...free]);
    expect(exitCode).toBe(78);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { about: string; status: string }[];
    };
    expect(ok).toBe(false);
    expect(findings.filter(({ status }) => status === 'fail')).toMatchObject([
      {
        about: 'config',
        says: expect.stringContaining('server.host (file nimify.yaml:1)'),
        mend: expect.any(String),
      },
    ]);
    expect(new Set(findings.map(({ about }) => about))).toEqual(
      new Set([
        'node',
        'config',
        'engine',
        'native',
        'provider',
        'cores',
        'memory',
        'processes',
        'ceiling',
        'ports',
        'files',
        'clock',
        'threads',
        'disk',
      ]),
    );
  });

  it('still looks at the rest where the configuration is wrong', async () => {
    put('nimify.yaml', 'sever: {}\n');
    const { exitCode, stdout } = await run(['doctor']);
    expect(exitCode).toBe(78);
    expect(stdout).toMatch(/^fail {2}config +nimify.yaml:1:1: .*\n +-> /m);
    expect(stdout).toMatch(/^ok {4}node/m);
  });
});
