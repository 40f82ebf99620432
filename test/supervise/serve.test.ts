import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { openRaw, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { askIris, IRIS, IRIS_BODY } from '../chaos/models.ts';
import { type Running, startNimify } from '../support/nimify.ts';
import { packed, protobuf } from '../support/protobuf.ts';

const PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
const INFER = rawRequest('POST', '/v2/models/iris/infer', { 'content-type': 'application/json' }, IRIS_BODY);

const folder = mkdtempSync(join(tmpdir(), 'nimify-supervise-'));
afterAll(() => rmSync(folder, { recursive: true }));

let running: Running | undefined;
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
});

/** Resolves when it is ready. */
async function serve(...flags: readonly string[]) {
  const started = startNimify(['serve', ...flags, ...PORTS], { isInstalled: true, cwd: folder });
  running = started;
  const { pid } = started.process;
  const [, url = ''] = await started.printed(/serves .* at (\S+)/);
  const [, grpcPort = ''] = await started.printed(/^grpc +\S+:(\d+)/m);
  const httpPort = Number(new URL(url).port);
  const [, metricsUrl = ''] = await started.printed(/^metrics +(\S+)$/m);
  return {
    started,
    url,
    httpPort,
    grpcPort: Number(grpcPort),
    /** Undefined where there is none. */
    server: () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) || undefined,
    /** Connections to the server that the process which was started holds. */
    connectionsOfFirst: () => {
      const held = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      return connectionsTo(httpPort).filter((inode) => held.includes(`socket:[${inode}]`));
    },
    restarts: async () => /^nimify_server_restarts_total (\d+)$/m.exec(await textOf(metricsUrl))?.[1],
  };
}

/** Inodes of established connections on that side (proc_pid_net(5)). */
function connectionsTo(port: number): readonly string[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields.filter((field) => field[1] === local && field[3] === '01').map((field) => field[9]!);
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function askOverGrpc(port: number): Promise<unknown> {
  const client = connectRaw(port);
  const input = protobuf({ 1: 'X', 2: 'FP32', 3: packed(1, 4) });
  const request = framed(protobuf({ 1: 'iris', 5: input, 7: new Uint8Array(16) }));
  const { trailers } = await client.call('/inference.GRPCInferenceService/ModelInfer', [request]);
  client.close();
  return trailers['grpc-status'];
}

describe.runIf(process.platform === 'linux')('nimify serve, watched over', () => {
  it('is there again on the same ports after its server died, and answers who connected meanwhile', async () => {
    const { started, url, httpPort, grpcPort, server, restarts } = await serve(
      IRIS.path,
      '--model-name',
      'iris',
    );
    expect(await askIris(url)).toBe(200);
    expect(await restarts()).toBe('0');

    const first = server()!;
    // Nobody accepts what comes from here on.
    process.kill(first, 'SIGSTOP');
    const waiting = await Promise.all(Array.from({ length: 20 }, () => openRaw(httpPort)));
    for (const client of waiting) client.send(INFER);
    process.kill(first, 'SIGKILL');
    const statuses = await Promise.all(waiting.map(async (client) => (await client.next()).status));
    expect(statuses).toEqual(Array(20).fill(200));
    for (const { socket } of waiting) socket.destroy();
    expect(server()).not.toBe(first);
    expect(await askOverGrpc(grpcPort)).toBe('0');
    expect(await restarts()).toBe('1');

    process.kill(server()!, 'SIGABRT');
    await started.logged(/"signal":"SIGABRT","restarts":2/);
    await expect.poll(restarts).toBe('2');
    expect(await askIris(url)).toBe(200);
    const { events } = JSON.parse(await textOf(`${url}/admin/events?type=server-restarted`));
    expect(events).toMatchObject([
      { state: 'mitigating', message: expect.stringContaining('SIGABRT'), details: { restarts: 2 } },
    ]);

    started.process.kill('SIGTERM');
    const { exitCode, signal, stdout } = await started.finished;
    expect([exitCode, signal]).toEqual([0, undefined]);
    expect(stdout.split('serves 1 model')).toHaveLength(2);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('leaves connections to the server', async () => {
    const { httpPort, connectionsOfFirst } = await serve(IRIS.path, '--model-name', 'iris');
    const clients = await Promise.all(Array.from({ length: 8 }, () => openRaw(httpPort)));
    for (const client of clients) client.send(INFER);
    for (const client of clients) expect((await client.next()).status).toBe(200);
    expect(connectionsTo(httpPort).length).toBeGreaterThanOrEqual(clients.length);
    expect(connectionsOfFirst()).toEqual([]);
    for (const { socket } of clients) socket.destroy();
  });

  it('serves again what was loaded by request', async () => {
    const { started, url, server } = await serve(
      IRIS.path,
      '--model-name',
      'iris',
      '--model-control-mode',
      'explicit',
    );
    expect(await askIris(url)).not.toBe(200);
    expect((await fetch(`${url}/v2/repository/models/iris/load`, { method: 'POST' })).status).toBe(200);
    expect(await askIris(url)).toBe(200);
    process.kill(server()!, 'SIGKILL');
    await started.logged(/"restarts":1/);
    await expect.poll(() => askIris(url)).toBe(200);
  });

  it('says once what is wrong, and ends as the server does', async () => {
    running = startNimify(['serve', '/nowhere.onnx', ...PORTS], { isInstalled: true, cwd: folder });
    const { exitCode, signal, stderr } = await running.finished;
    expect([exitCode, signal]).toEqual([66, undefined]);
    expect(stderr.split('there is no such file')).toHaveLength(2);
  });

  it('ends with its server where the file says so', async () => {
    writeFileSync(join(folder, 'nimify.yaml'), `models: [${IRIS.path}]\nserver: {supervise: off}\n`);
    const { started, server } = await serve();
    process.kill(server()!, 'SIGKILL');
    expect(await started.finished).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' });
  });

  it('takes the server along where it is killed itself', async () => {
    const { started, server } = await serve(IRIS.path);
    const pid = server();
    started.process.kill('SIGKILL');
    await started.finished;
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });
});
