/** The package as users get it: packed, installed in an empty folder from the npm registry alone, and run. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nimify-package-'));
let tarball: string;

beforeAll(() => {
  tarball = run(process.execPath, [join(ROOT, 'scripts/pack.mjs'), folder], folder).split('\n')[0] ?? '';
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds the product and no dev file', () => {
    const files = run('tar', ['-tzf', tarball], folder).trim().split('\n');
    expect(files).toContain('package/bin/nimify.cjs');
    expect(files).toContain('package/dist/cli/main.js');
    expect(files).toContain('package/dist/index.d.ts');
    expect(files).toContain('package/dist/client/client.d.ts');
    expect(files).toContain('package/adapters/clients/python.py');
    expect(files).toContain(
      'package/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node',
    );
    expect(files.filter((file) => file.endsWith('/koffi.node'))).toHaveLength(5);
    const own = files.filter((file) => !file.startsWith('package/node_modules/'));
    const dev =
      /\.test\.|\.map$|tsbuildinfo|fake-(?!clock|time|engine|model)|-alone\.|(raw|frame)-client|scripts\/|^package\/(src|test|examples)\//;
    expect(own.filter((file) => dev.test(file))).toEqual([]);
  });

  it.each([
    ['publint', ['--strict']],
    ['attw', ['--profile', 'esm-only']],
  ])('is clean by %s', (tool, flags) => {
    run(join(ROOT, 'node_modules/.bin', tool), [tarball, ...flags], folder);
  });

  it('runs no install script, its own or one of what it carries', () => {
    const install = mkdirSync(join(folder, 'manifests'), { recursive: true }) ?? join(folder, 'manifests');
    run('tar', ['-xzf', tarball, '-C', install, '--wildcards', '*package.json'], folder);
    const manifests = run('find', [install, '-name', 'package.json'], folder).trim().split('\n');
    for (const path of manifests) {
      const scripts = (JSON.parse(readFileSync(path, 'utf8')) as { scripts?: Record<string, string> })
        .scripts;
      for (const hook of ['preinstall', 'install', 'postinstall', 'prepare'])
        expect(scripts?.[hook]).toBeUndefined();
    }
  });
});

/** What npm tells the scripts that it runs must not steer the npm that is started here. */
const CLEAN_ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

const NPMS = {
  'the npm that is here': ['npm'],
  'npm 10': ['npx', '-y', 'npm@10'],
  'npm 11': ['npx', '-y', 'npm@11'],
};
const NODES = ['20', '22', '24'];

/** One that is here already is installed with only once. */
const OWN_NPM = `npm ${run('npm', ['--version'], ROOT).split('.')[0]}`;
const TRIED_NPMS = Object.entries(NPMS).filter(([name]) => name !== OWN_NPM);

describe.each(TRIED_NPMS)('installed with %s', (name, npm) => {
  const home = join(folder, name.replaceAll(' ', '-'));

  it('serves a model in an empty folder on Node 20, 22 and 24', async () => {
    mkdirSync(home);
    const [command = 'npm', ...first] = npm;
    // Scripts allowed, as on a user's machine: the package must do without.
    run(command, [...first, 'install', '--no-audit', '--no-fund', '--ignore-scripts=false', tarball], home);
    copyFileSync(join(ROOT, 'examples/demo/iris/model.onnx'), join(home, 'iris.onnx'));
    for (const major of name === 'the npm that is here' ? NODES : NODES.slice(0, 1)) {
      expect(await answerOn(major, home)).toEqual({ node: major, label: [0], exitCode: 0 });
      expect(run(nodeOf(major), ['--input-type=module', '-e', HAS_RUNS_AT_ONCE], home)).toBe(
        'inline function;native function;',
      );
      expect(run(nodeOf(major), ['--input-type=module', '-e', HAS_CLIENT], home)).toBe(
        'ECONNREFUSED ECONNREFUSED',
      );
      const generated = run(nodeOf(major), [binOf(home), 'client', '--lang', 'ts', 'iris.onnx'], home);
      expect(generated).toContain('export interface IrisInputs');
    }
  }, 240_000);
});

/** Whether the engine's add-on and its library are found: only through them are runs done before their call returns. */
const HAS_RUNS_AT_ONCE = `
  import { loadModel } from 'nimify';
  for (const host of ['inline', 'native']) {
    const { model } = await loadModel('iris.onnx', { engine: { host } });
    process.stdout.write(host + ' ' + typeof model.inferNow + ';');
    await model.close({ graceMs: 1000 });
  }
`;

/** The client, over both of its transports. */
const HAS_CLIENT = `
  import { createClient } from 'nimify/client';
  const got = ['http://127.0.0.1:1', 'grpc://127.0.0.1:1'].map((url) =>
    createClient({ url }).live().catch(({ details }) => details.got),
  );
  process.stdout.write((await Promise.all(got)).join(' '));
`;

/** Serves iris.onnx on that Node, asks once, ends it with SIGTERM. */
async function answerOn(major: string, home: string): Promise<unknown> {
  const node = nodeOf(major);
  const ports = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];
  const server = spawn(node, [binOf(home), 'serve', 'iris.onnx', ...ports], { cwd: home });
  const url = await printed(server, /serves 1 model at (\S+)/);
  const answer = await fetch(`${url}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"X":[[5.1,3.5,1.4,0.2]]}',
  });
  const { outputs } = (await answer.json()) as { outputs: { label: number[] } };
  server.kill('SIGTERM');
  const [exitCode] = await once(server, 'close');
  const version = run(node, ['--version'], home).trim();
  return { node: /^v(\d+)/.exec(version)?.[1], label: outputs.label, exitCode };
}

function binOf(home: string): string {
  return join(home, 'node_modules/nimify/bin/nimify.cjs');
}

/** The executable itself, so that signals reach it: a launcher would stand between. */
function nodeOf(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const script = 'process.stdout.write(process.execPath)';
  const packageName = `node-${process.platform}-${process.arch}@${major}`;
  return run('npx', ['-y', '-p', packageName, 'node', '-e', script], folder);
}

function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const match = pattern.exec(text);
        if (match?.[1] !== undefined) resolve(match[1]);
      });
    }
    child.once('exit', () => reject(new Error(`it ended too early: ${text}`)));
  });
}

function run(command: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', env: CLEAN_ENV, maxBuffer: 64 * 2 ** 20 });
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.error ?? ''}\n${result.stderr}`);
  return result.stdout;
}
