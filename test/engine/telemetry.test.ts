/** ONNX Runtime's own telemetry keeps its notes in the user's cache: none may come into being. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startNimify } from '../support/nimify.ts';

const SLOW = join(import.meta.dirname, '../fixtures/slow.onnx');
const PORTS = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nimify-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function filesAfterServing(host: string) {
  const running = startNimify(['serve', SLOW, ...PORTS, '--engine-host', host], {
    env: { HOME: home, TMPDIR: home, XDG_CACHE_HOME: join(home, '.cache') },
  });
  await running.printed(/serves 1 model/);
  running.process.kill('SIGTERM');
  await running.finished;
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((path) => !OURS.test(path));
}

/** What nimify itself keeps for its next start, and the folders above it. */
const OURS = /^\.cache(\/nimify(\/.*)?)?$/;

it.each(['inline', 'thread', 'native', 'process'])(
  'leaves nothing of the engine behind where runs happen %s',
  async (host) => {
    expect(await filesAfterServing(host)).toEqual([]);
  },
);
