/** `npm start` and the command as people and supervisors use them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ANY_PORTS = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];

it('npm start passes SIGTERM on to the server, which drains, and ends with 0', async () => {
  const npm = spawn('npm', ['start', '--', ...ANY_PORTS], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = await printedUntil(npm, /serves 4 models at (\S+)/);
  const url = /serves 4 models at (\S+)/.exec(output.text)?.[1];
  expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);

  npm.kill('SIGTERM');
  const [exitCode] = await once(npm, 'close');
  expect(exitCode).toBe(0);
  expect(output.text).toContain('draining');
  await expect(fetch(`${url}/v2/health/live`)).rejects.toThrow();
});

it('the command works from another folder, and says nothing of the set-up where all is fresh', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const elsewhere = mkdtempSync(join(tmpdir(), 'nimify-'));
  const result = spawnSync(process.execPath, [join(ROOT, 'bin/nimify.mjs'), '--version'], {
    cwd: elsewhere,
    encoding: 'utf8',
  });
  expect(result).toMatchObject({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

interface Output {
  text: string;
}

/** Gathers what is printed from now on; resolves when it fits, rejects when the process ends before. */
async function printedUntil(child: ChildProcess, pattern: RegExp): Promise<Output> {
  const output = { text: '' };
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output.text += text;
        if (pattern.test(output.text)) resolve();
      });
    }
    child.once('exit', () => reject(new Error(`it ended too early: ${output.text}`)));
  });
  return output;
}
