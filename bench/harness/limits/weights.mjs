import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.mjs';
import { loadFor, measureRun } from '../measure.mjs';
import { pssBytesOf, rssBytesOf } from '../process-cost.mjs';
import { startServer } from '../server-process.mjs';
import { hostOf, named, withFlags } from './servers.mjs';

const MORE_CORES = fileURLToPath(new URL('./more-cores.mjs', import.meta.url));
const AT_ONCE = 4;
const SECONDS = 1;
/** Beside what nimify picks: that with a session for each run, and that which shares one, where this nimify has it. */
const HOSTS = ['auto', 'native', 'thread'];

/** Memory with one run at a time and with four, for each host, in turn. */
export async function measureWeights(part, { servers, models, options, say }) {
  const nimify = named(servers, 'nimify');
  const offered = hostsOffered(options.root);
  const memory = [];
  for (const model of models) {
    const fileBytes = statSync(model.path).size;
    for (let round = 0; round < options.rounds; round += 1) {
      for (const asked of HOSTS.filter((host) => offered.includes(host))) {
        for (const atOnce of [1, AT_ONCE]) {
          const flags = ['--batching', 'off', '--threads', '1'];
          flags.push('--instances', String(atOnce), '--engine-host', asked);
          const server = withFlags(nimify, 'nimify', flags);
          const held = await memoryOf(server, model, atOnce, options);
          memory.push({
            ...{ part: part.name, model: model.name, asked, atOnce, round, fileBytes },
            ...held,
          });
          const { pssBytes, host } = memory.at(-1);
          say(
            `  ${asked} (${host.split(':')[0]}: ${host.split('; ').at(-1)}), ${atOnce} at once: PSS ${(pssBytes / 1e6).toFixed(0)} MB`,
          );
        }
      }
    }
  }
  return { memory };
}

/** Values of --engine-host, of which native is not one everywhere. */
function hostsOffered(root) {
  const command = [`${root}/dist/cli/main.js`, 'serve', '--help'];
  const { stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return /--engine-host [^\n]*\(([\w, ]+); default/.exec(stdout)?.[1].split(', ') ?? [];
}

/** After the load, when every run has been one of so many. */
async function memoryOf(server, model, connections, options) {
  const port = await freePort();
  const probe = { port, ...server.request(model, 'binary') };
  const { args, ...started } = await server.start(model, port);
  const process = await startServer(
    { ...started, args: ['--import', MORE_CORES, ...args], env: { CORES: String(AT_ONCE) } },
    { core: options.serverCore, probe },
  );
  try {
    const load = loadFor(server, model, 'binary', options.cache);
    const up = { process, port };
    const { failed, perSecond } = await measureRun(up, load, { ...options, connections, seconds: SECONDS });
    process.resume();
    const { group } = process;
    const [pssBytes, rssBytes] = [pssBytesOf(group), rssBytesOf(group)];
    return { host: await hostOf(port), pssBytes, rssBytes, failed, perSecond };
  } finally {
    await process.stop();
  }
}
