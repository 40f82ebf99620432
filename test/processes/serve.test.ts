import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { askIris, IRIS } from '../chaos/models.ts';
import { packed, protobuf } from '../support/protobuf.ts';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PROCESSES = 2;

let started: Started | undefined;

interface Started {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly stdout: () => string;
}

function start(...flags: readonly string[]): Started {
  const ports = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
  const args = [COMMAND, 'serve', ...flags, '--processes', String(PROCESSES), ...ports];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  started = { child, stdout: () => stdout, stderr: () => stderr };
  return started;
}

afterEach(async () => {
  const child = started?.child;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
});

/** The processes that serve, by their numbers. */
function servingOf({ pid }: ChildProcess): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

async function metricsOf(url: string): Promise<(series: string) => number> {
  const text = await (await fetch(url)).text();
  return (series) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(series))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe.runIf(process.platform === 'linux')('nimify serve --processes', () => {
  it('serves one address from several, adds up what they count, replaces who ends, and drains all', async () => {
    const { child, stdout } = start(IRIS.path, '--model-name', 'iris');
    const find = (shape: RegExp) => shape.exec(stdout())?.[1] ?? '';
    await expect.poll(() => find(/^metrics +(\S+)$/m)).not.toBe('');
    const metricsUrl = find(/^metrics +(\S+)$/m);
    const url = find(/serves 1 model at (\S+)/);
    const grpcPort = Number(find(/^grpc +\S+:(\d+)$/m));
    await expect.poll(async () => (await metricsOf(metricsUrl))('nimify_processes ')).toBe(PROCESSES);

    for (let i = 0; i < 10; i += 1) expect(await askIris(url)).toBe(200);
    const client = connectRaw(grpcPort);
    const input = protobuf({ 1: 'X', 2: 'FP32', 3: packed(1, 4) });
    const request = framed(protobuf({ 1: 'iris', 5: input, 7: new Uint8Array(16) }));
    const { trailers } = await client.call('/inference.GRPCInferenceService/ModelInfer', [request]);
    client.close();
    expect(trailers['grpc-status']).toBe('0');
    const read = await metricsOf(metricsUrl);
    expect(read('nimify_requests_total')).toBe(11);
    expect(read('nimify_request_duration_seconds_count')).toBe(11);
    expect(read('nimify_build_info')).toBe(1);

    const [victim = 0, other] = servingOf(child);
    process.kill(victim, 'SIGKILL');
    await expect.poll(async () => (await metricsOf(metricsUrl))('nimify_process_restarts_total')).toBe(1);
    await expect.poll(async () => (await metricsOf(metricsUrl))('nimify_processes ')).toBe(PROCESSES);
    expect(servingOf(child)).toContain(other);
    expect(servingOf(child)).not.toContain(victim);
    expect(await askIris(url)).toBe(200);

    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['a model that is not there', ['/nowhere.onnx'], 66, 'there is no such file'],
    [
      'a mode in which requests load models',
      [IRIS.path, '--model-control-mode', 'explicit'],
      78,
      'repository.mode: expected none or poll',
    ],
  ])('says once what is wrong: %s', async (_, flags, exitCode, words) => {
    const { child, stderr } = start(...flags);
    expect(await once(child, 'exit')).toEqual([exitCode, null]);
    expect(stderr().split(words)).toHaveLength(2);
  });
});
