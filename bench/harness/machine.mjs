import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

const LOADS = {
  wrk: { version: /wrk \S+/, how: 'apt-get install wrk, or https://github.com/wg/wrk' },
  h2load: { version: /h2load \S+/, how: 'apt-get install nghttp2-client, or https://nghttp2.org' },
};

/** What the numbers were measured on and with. */
export function describeMachine({ root, tool }) {
  const versionOf = (name) =>
    JSON.parse(readFileSync(`${root}/node_modules/${name}/package.json`, 'utf8')).version;
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    governor: firstLine('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    node: process.version,
    load: LOADS[tool].version.exec(spawnSync(tool, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[0],
    packages: { 'onnxruntime-node': versionOf('onnxruntime-node'), fastify: versionOf('fastify') },
    loadAverageBefore: loadavg()[0],
    ...describeCommit(root),
  };
}

/** The commit of the checkout; undefined outside of one. */
export function describeCommit(root) {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return { commit: git('rev-parse', 'HEAD'), uncommitted: git('status', '--porcelain') !== '' };
  } catch {
    return { commit: undefined, uncommitted: undefined };
  }
}

function firstLine(path) {
  try {
    return readFileSync(path, 'utf8').split('\n')[0];
  } catch {
    return undefined;
  }
}

/** @throws with how to get it, where something is missing that nothing can be measured without */
export function requireTools({ root, tool: load, serverCore, loadCore }) {
  for (const [tool, args, how] of [
    [load, ['--version'], LOADS[load].how],
    ['taskset', ['--version'], 'apt-get install util-linux; there is none outside Linux'],
  ]) {
    if (spawnSync(tool, args).error !== undefined) throw new Error(`${tool} is not installed: ${how}`);
  }
  for (const core of [serverCore, loadCore]) {
    const { status } = spawnSync('taskset', ['-c', core, 'true']);
    if (status !== 0) {
      throw new Error(
        `core ${core} cannot be used; the server and the load need one each: --server-core, --load-core`,
      );
    }
  }
  if (spawnSync(process.execPath, [`${root}/dist/cli/main.js`, '--version']).status !== 0) {
    throw new Error('dist/ is not built, or does not run: npm run build');
  }
}
