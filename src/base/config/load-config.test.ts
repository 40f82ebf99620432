import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import type { Given } from './layer.ts';
import { type Config, type ConfigSources, loadConfig } from './load-config.ts';
import { originText } from './origin.ts';
import { DEFAULT_POLICIES } from './policies.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string | undefined, sources: Partial<ConfigSources> = {}): Promise<Config> {
  if (yaml !== undefined) writeFileSync(join(folder, 'nimify.yaml'), yaml);
  return loadConfig({ folder, env: {}, flags: new Map(), paths: [], ...sources });
}

async function refusalOf(
  yaml: string | undefined,
  sources: Partial<ConfigSources> = {},
): Promise<NimifyError> {
  const thrown = await load(yaml, sources).then(
    () => new Error('the configuration was taken'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof NimifyError)) throw thrown;
  expect(thrown.code).toBe('CONFIG_INVALID');
  return thrown;
}

function flag(path: string, name: string, value: unknown): ReadonlyMap<string, Given> {
  return new Map([[path, { value, origin: { from: 'flag', name } as const }]]);
}

describe('loadConfig', () => {
  it('has a default for everything', async () => {
    const config = await load(undefined);
    expect(config).toMatchObject({
      file: undefined,
      server: { host: '127.0.0.1', httpPort: 8000, maxBodyBytes: 2 ** 26 },
      log: { level: 'info', accessShare: 0 },
      models: [
        { path: '.', settings: { timeoutMs: 30_000, engine: { host: 'auto', instances: undefined } } },
      ],
    });
    expect(new Set(Object.values(config.origins).map(originText))).toEqual(new Set(['default']));
  });

  it('takes flags before variables, variables before the file, and tells which', async () => {
    const yaml = 'server:\n  httpPort: 1\n  grpcPort: 2\n  metricsPort: 3\n';
    const env = { NIMIFY_HTTP_PORT: '11', NIMIFY_GRPC_PORT: '12' };
    const config = await load(yaml, { env, flags: flag('server.httpPort', '--http-port', 21) });
    expect(config.server).toMatchObject({ httpPort: 21, grpcPort: 12, metricsPort: 3, graceMs: 25_000 });
    const origin = (path: string) => originText(config.origins[path]!);
    expect(origin('server.httpPort')).toBe('flag --http-port');
    expect(origin('server.grpcPort')).toBe('env NIMIFY_GRPC_PORT');
    expect(origin('server.metricsPort')).toBe('file nimify.yaml:4');
    expect(origin('server.graceMs')).toBe('default');
  });

  it("takes NIM's variables in NIM's words, below nimify's own", async () => {
    const nim = {
      NIM_SERVER_PORT: '1',
      NIM_HTTP_API_PORT: '2',
      NIM_LOG_LEVEL: 'WARNING',
      NIM_JSONL_LOGGING: '1',
    };
    const config = await load(undefined, { env: nim });
    expect(config.server.httpPort).toBe(2);
    expect(config.log).toMatchObject({ level: 'warn', format: 'json' });
    expect((await load(undefined, { env: { ...nim, NIMIFY_LOG_LEVEL: 'debug' } })).log.level).toBe('debug');
    for (const word of ['LOUD', 'constructor', '__proto__']) {
      const refused = await refusalOf(undefined, { env: { NIM_LOG_LEVEL: word } });
      expect(refused.message).toBe(
        `NIM_LOG_LEVEL: expected DEFAULT, TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL, got '${word}'; change the variable or unset it`,
      );
    }
  });

  it('takes no member of JavaScript objects for true or false', async () => {
    for (const word of ['constructor', '__proto__', 'valueOf']) {
      const refused = await refusalOf(undefined, { env: { NIMIFY_STRICT_READINESS: word } });
      expect(refused.message).toContain(`NIMIFY_STRICT_READINESS: expected true or false, got '${word}'`);
    }
  });

  it('takes an empty variable, or one that Kubernetes sets for a Service, as none', async () => {
    const env = {
      NIMIFY_HOST: '',
      NIMIFY_HTTP_PORT: 'tcp://10.0.0.1:80',
      NIMIFY_SERVICE_HOST: '10.0.0.1',
      NIMIFY_PORT: 'tcp://10.0.0.1:80',
    };
    const config = await load(undefined, { env });
    expect(config.server).toMatchObject({ host: '127.0.0.1', httpPort: 8000 });
    expect(config.warnings).toEqual([]);
  });

  it('warns of a variable that is none of its own', async () => {
    const { warnings } = await load(undefined, {
      env: { NIMIFY_HTPP_PORT: '1', NIMIFY_DEBUG: '1', OTHER: '' },
    });
    expect(warnings).toEqual(['NIMIFY_HTPP_PORT is no variable of nimify; did you mean NIMIFY_HTTP_PORT?']);
  });

  it('lists models as paths from the folder of the file, with settings of their own', async () => {
    mkdirSync(join(folder, 'conf'));
    writeFileSync(
      join(folder, 'conf/other.yaml'),
      `defaults:
  timeoutMs: 2s
  engine: { instances: 4, batchAxis: none }
models:
  - a.onnx
  - path: ../b
    name: bee
    timeoutMs: 500
    engine: { instances: 1 }
  - path: /abs/c.onnx
`,
    );
    const config = await load(undefined, { flags: flag('config', '--config', 'conf/other.yaml') });
    const engine = {
      host: 'auto',
      instances: 4,
      intraOpThreads: undefined,
      batchAxis: 'none',
      providers: undefined,
      memoryArena: false,
      graphOptimization: 'all',
    };
    const byDefault = {
      ...DEFAULT_POLICIES,
      batching: 'auto',
      objective: undefined,
      required: true,
      target: 'balanced',
      tune: 'auto',
    };
    const slo = { availability: 0.999, latency: { thresholdMs: undefined, target: undefined } };
    const settings = { ...byDefault, slo, timeoutMs: 2000, engine };
    expect(config.models).toEqual([
      { path: 'conf/a.onnx', settings },
      {
        path: 'b',
        name: 'bee',
        settings: { ...settings, timeoutMs: 500, engine: { ...engine, instances: 1 } },
      },
      { path: '/abs/c.onnx', settings },
    ]);
    expect(originText(config.origins['models[1].timeoutMs']!)).toBe('file conf/other.yaml:8');
    expect(originText(config.origins['models[0].timeoutMs']!)).toBe('file conf/other.yaml:2');
    expect(originText(config.origins['models[2]']!)).toBe('file conf/other.yaml:10');
  });

  it('takes a path of the file from its folder, and any other as it is', async () => {
    mkdirSync(join(folder, 'conf'));
    writeFileSync(join(folder, 'conf/n.yaml'), 'tls: {certFile: a.crt, keyFile: ../a.key}\n');
    const { tls } = await load(undefined, {
      flags: new Map([
        ...flag('config', '--config', 'conf/n.yaml'),
        ...flag('tls.clientCaFile', '--tls-client-ca-file', 'ca.crt'),
      ]),
    });
    expect(tls).toEqual({ certFile: 'conf/a.crt', keyFile: 'a.key', clientCaFile: 'ca.crt', ports: 'both' });
    writeFileSync(join(folder, 'conf/n.yaml'), 'tls: {certFile: /etc/a.crt, ports: neither}\n');
    const config = flag('config', '--config', 'conf/n.yaml');
    expect((await refusalOf(undefined, { flags: config })).message).toMatch(
      /tls\.ports: expected one of both, http, grpc/,
    );
  });

  it('takes a variable or flag before what the file says of a single model too', async () => {
    const yaml = 'models: [{path: a.onnx, timeoutMs: 5, engine: {instances: 2}}]';
    const config = await load(yaml, {
      env: { NIMIFY_TIMEOUT_MS: '7' },
      flags: flag('engine.instances', '--instances', 9),
    });
    expect(config.models[0]?.settings).toMatchObject({ timeoutMs: 7, engine: { instances: 9 } });
  });

  it('replaces the models of the file by paths on the command line, or by a variable', async () => {
    const yaml = 'models: [a.onnx, b.onnx]\nserver: {httpPort: 5}';
    const paths = [{ path: 'c.onnx' }, { path: 'd.onnx', name: 'dee' }];
    const config = await load(yaml, { paths, env: { NIM_MODEL_PATH: 'e.onnx' } });
    expect(config.models).toMatchObject(paths);
    expect(config.models).toHaveLength(2);
    expect(config.server.httpPort).toBe(5);
    const byVariable = await load(yaml, { env: { NIM_MODEL_PATH: 'e.onnx', NIM_SERVED_MODEL_NAME: 'ee' } });
    expect(byVariable.models).toMatchObject([{ path: 'e.onnx', name: 'ee' }]);
  });

  it('gives a name to one model only', async () => {
    const refused = await refusalOf('models: [a.onnx, b.onnx]', {
      flags: flag('modelName', '--model-name', 'm'),
    });
    expect(refused.message).toMatch(/^--model-name names one model, but 2 are given; /);
    const named = await refusalOf('models: [a.onnx]', { env: { NIM_SERVED_MODEL_NAME: 'a,b' } });
    expect(named.message).toMatch(/^NIM_SERVED_MODEL_NAME: expected one name, got 'a,b'/);
  });

  it('is frozen through and through', async () => {
    const config = await load('models: [{path: a, engine: {providers: [{name: cuda, deviceId: 0}]}}]');
    expect(Object.isFrozen(config.models[0]?.settings.engine.providers?.[0])).toBe(true);
    expect(() => {
      (config.server as { httpPort: number }).httpPort = 1;
    }).toThrow(TypeError);
  });

  it.each([
    ['server:\n  htpPort: 1', '2:3: server.htpPort: there is no such key; did you mean `httpPort`?'],
    ['sever: {}', '1:1: sever: there is no such key; did you mean `server`?'],
    ['httpPort: 1', '1:1: httpPort: there is no such key here; did you mean `server.httpPort`?'],
    ['log: {zzz: 1}', '1:7: log.zzz: there is no such key; known here: level, format, accessShare, slowMs'],
    ['server: 5', '1:9: server: expected keys with values, got 5'],
    [
      'server: {httpPort: "80"}',
      "1:20: server.httpPort: expected a port from 0 (any free one) to 65535, got '80'",
    ],
    ['log:\n  level: loud', "2:10: log.level: expected one of debug, info, warn, error, silent, got 'loud'"],
    ['log:\n  level:', '2:9: log.level: expected one of debug, info, warn, error, silent, got nothing'],
    ['models: a.onnx', "1:9: models: expected a list of paths, or of entries with a path, got 'a.onnx'"],
    ['models: [5]', '1:10: models[0]: expected a path, or an entry with a path, got 5'],
    [
      'models: [{name: a}]',
      '1:10: models[0]: expected a `path`: the model file or folder, from the folder of this file',
    ],
    ['models: [{path: []}]', '1:17: models[0].path: expected a text that is not empty, got a list'],
    ['models: [{path: a, engin: {}}]', '1:20: models[0].engin: there is no such key; did you mean `engine`?'],
    [
      'models: [{path: a, engine: {instanses: 1}}]',
      '1:29: models[0].engine.instanses: there is no such key; did you mean `instances`?',
    ],
    ['defaults: {timeout: 5}', '1:12: defaults.timeout: there is no such key; did you mean `timeoutMs`?'],
    ['- a', '1:1: nimify.yaml: expected keys with values, got a list'],
    ['a: 1\na: 2', '2:1: this key stands twice in the same place; keep one'],
    ['\tserver: {}', '1:1: a tab indents this line; use spaces'],
    ['server: {host: *x}', '1:16: this alias (*) has no anchor (&) before it'],
    ['server: !x {}', '1:9: tags (!) have no meaning here; leave it out'],
    ['a: 1\n---\nb: 1', '2:1: a second document begins here; keep one'],
    ['a: b: c', '1:4: this is no YAML; check quotes, colons and indentation around it'],
    ['? [a]\n: 1', '1:3: expected a plain word as the key'],
  ])('tells line and column of %j', async (yaml, message) => {
    expect((await refusalOf(yaml)).message).toBe(`nimify.yaml:${message}`);
  });

  it('tells all that is wrong at once, with the place of the first in the details', async () => {
    const refused = await refusalOf('server:\n  host: 5\n  httpPort: x\nlogs: {}', {
      env: { NIMIFY_GRPC_PORT: 'x' },
    });
    expect(refused.message).toMatch(
      /^the configuration has 4 faults:\n- NIMIFY_GRPC_PORT: .*\n- nimify.yaml:2:9: /,
    );
    expect((await refusalOf('server:\n  host: 5')).details).toEqual({
      where: 'server.host',
      line: 2,
      column: 9,
      expected: 'a text that is not empty',
      got: 5,
    });
  });

  it('takes keys whose values are all commented out, and an empty file', async () => {
    expect((await load('server:\n  # host: x\nmodels:\ndefaults:\n  engine:\n')).server.host).toBe(
      '127.0.0.1',
    );
    expect((await load('')).models).toMatchObject([{ path: '.' }]);
    expect((await load('# nothing\n')).file).toBe('nimify.yaml');
  });

  it('follows anchors, but not without end', async () => {
    const config = await load('defaults: &d {timeoutMs: 5}\nmodels: [{path: &p a, name: *p}]');
    expect(config.models[0]).toMatchObject({ path: 'a', name: 'a' });
    const levels = Array.from({ length: 8 }, (_, i) => `k${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    expect((await refusalOf(['k0: &l0 [x]', ...levels].join('\n'))).message).toMatch(/at most 10000 values/);
    expect((await refusalOf('server: &a {host: *a}')).message).toMatch(/at most 50 levels/);
    expect((await refusalOf('['.repeat(50_000))).message).toMatch(/nested too deep/);
  });

  it('tells what is wrong with the file itself', async () => {
    const asked = await refusalOf(undefined, { env: { NIMIFY_CONFIG: 'gone.yaml' } });
    expect(asked.message).toBe('gone.yaml: there is no such file; mend NIMIFY_CONFIG');
    mkdirSync(join(folder, 'nimify.yaml'));
    expect((await refusalOf(undefined)).message).toBe(
      'nimify.yaml: expected a file, got a folder or a device',
    );
    writeFileSync(join(folder, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0xe4]));
    const latin = await refusalOf(undefined, { env: { NIMIFY_CONFIG: 'latin.yaml' } });
    expect(latin.message).toBe('latin.yaml: expected text in UTF-8; save it in that encoding');
    writeFileSync(join(folder, 'large.yaml'), Buffer.alloc(2 ** 20 + 1, 0x20));
    expect((await refusalOf(undefined, { env: { NIMIFY_CONFIG: 'large.yaml' } })).message).toMatch(
      /1048577$/,
    );
  });
});
