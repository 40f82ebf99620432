/** Models in processes of their own: what happens to one harms nobody else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createContext,
  createInferRequest,
  loadModel,
  type NimifyError,
  type Tensor,
} from '../../src/index.ts';
import type { EngineOptions } from '../../src/model/engine.ts';
import type { ServedModel } from '../../src/registry/contract.ts';
import { describeWith, MODELS } from '../require.ts';
import { startNimify } from '../support/nimify.ts';

const PRODUCTS = fileURLToPath(new URL('fixtures/products.onnx', import.meta.url));
const UNRULY = fileURLToPath(new URL('../exec/fixtures/unruly.py', import.meta.url));

const loaded: ServedModel[] = [];
afterEach(async () => {
  await Promise.all(loaded.splice(0).map(({ model }) => model.close({ graceMs: 0 })));
});

async function load(path: string, engine: Partial<EngineOptions>): Promise<ServedModel> {
  const served = await loadModel(path, { engine: { intraOpThreads: 1, ...engine } });
  loaded.push(served);
  return served;
}

/** A square matrix for `products`, whose run takes its size to the third power. */
function matrix(size: number): Tensor {
  const data = new Float32Array(size * size).fill(1 / size);
  return { name: 'a', datatype: 'FP32', shape: [size, size], data };
}

async function infer({ model, name }: ServedModel, ...inputs: readonly Tensor[]): Promise<number> {
  const response = await model.infer(createInferRequest({ model: name, inputs }), createContext());
  return (response.outputs[0]!.data as Float32Array)[0]!;
}

const codeOf = (running: Promise<unknown>) =>
  running.then(
    () => 'answered',
    (error: NimifyError) => error.code,
  );

/** Processes by their parent, as proc_pid_stat(5) has them. */
function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(ppid) === parent && state !== 'Z';
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);
}

const isAlive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

const untilGone = (pids: readonly number[]) =>
  vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000, interval: 50 });

describe('the process host', () => {
  it('answers as the others do', async () => {
    const served = await load(PRODUCTS, { host: 'process', instances: 2 });
    expect(served.notes.host).toMatch(/^process: configured; [12] process/);
    expect(await infer(served, matrix(64))).toBeCloseTo(64, 3);
    const odd: Tensor = { name: 'a', datatype: 'FP32', shape: [2, 3], data: new Float32Array(6) };
    await expect(infer(served, odd)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { operator: 'MatMul' },
    });
  });

  it.each(['inline', 'thread', 'process'] as const)(
    'tells, as the others do, that values ask for too much memory (%s)',
    async (host) => {
      const path = fileURLToPath(new URL('fixtures/of_shape.onnx', import.meta.url));
      const served = await load(path, { host, instances: 1 });
      const shape: Tensor = {
        ...{ name: 's', datatype: 'INT64', shape: [2] },
        data: BigInt64Array.of(1_000_000n, 1_000_000n),
      };
      await expect(infer(served, shape)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining('ask for more memory than there is in the operator ConstantOfShape'),
        details: { where: 'inputs', operator: 'ConstantOfShape', outOfMemory: true },
      });
    },
  );

  it('refuses what does not load, as the others do', async () => {
    const path = fileURLToPath(new URL('fixtures/no_kernel.onnx', import.meta.url));
    await expect(load(path, { host: 'process' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('is picked where limits are set, and asked for where another host cannot keep them', async () => {
    const served = await load(PRODUCTS, { runLimitMs: 60_000 });
    expect(served.notes.host).toContain('its limits can only be kept there');
    await expect(load(PRODUCTS, { host: 'thread', runLimitMs: 60_000 })).rejects.toMatchObject({
      ...{ code: 'CONFIG_INVALID', details: { where: 'runLimitMs' } },
    });
    const inline = await load(PRODUCTS, { host: 'inline', memoryLimitBytes: 2 ** 30 });
    expect(inline.notes.host).toBe('inline: configured');
  });

  it('ends what outlasts the grace period of a close', async () => {
    const served = await load(PRODUCTS, { host: 'process', instances: 1 });
    const running = codeOf(infer(served, matrix(3000)));
    await served.model.close({ graceMs: 0 });
    expect(await running).toBe('ENGINE_CRASHED');
  });
});

describe.skipIf(process.platform !== 'linux')('a killed process', () => {
  it('fails its own run only; the line goes on, and it is replaced', async () => {
    const before = new Set(childrenOf(process.pid));
    const served = await load(PRODUCTS, { host: 'process', instances: 2, intraOpThreads: 1 });
    const children = childrenOf(process.pid).filter((pid) => !before.has(pid));
    const states: string[] = [];
    served.model.onState((state) => states.push(state));

    const running = Array.from({ length: 40 }, () => codeOf(infer(served, matrix(384))));
    await running[3]; // under load by now
    process.kill(children[0]!, 'SIGKILL');
    const codes = await Promise.all(running);

    expect(codes.filter((code) => code === 'ENGINE_CRASHED').length).toBeLessThanOrEqual(1);
    expect(codes.filter((code) => code !== 'answered' && code !== 'ENGINE_CRASHED')).toEqual([]);
    await vi.waitFor(() => expect(states).toEqual(['degraded', 'ready']), { timeout: 20_000 });
    expect(childrenOf(process.pid).filter((pid) => !before.has(pid))).toHaveLength(children.length);
    expect(await infer(served, matrix(64))).toBeCloseTo(64, 3);
  });

  it('in the middle of a run, too', async () => {
    const before = new Set(childrenOf(process.pid));
    const served = await load(PRODUCTS, { host: 'process', instances: 1 });
    const [child] = childrenOf(process.pid).filter((pid) => !before.has(pid));
    const running = codeOf(infer(served, matrix(3000)));
    const waiting = infer(served, matrix(64));
    await new Promise(setImmediate);
    process.kill(child!, 'SIGKILL');
    // Again, in the one that takes its place.
    expect(await running).toBe('answered');
    expect(await waiting).toBeCloseTo(64, 3);
  });
});

describeWith(['data'], 'a model that wants more memory than it may have', () => {
  const path = join(MODELS, 'light_vgg19/model.onnx');
  const limited = (mebibytes: number, engine: Partial<EngineOptions> = {}) =>
    load(path, { instances: 1, memoryLimitBytes: mebibytes * 2 ** 20, ...engine });

  // At 300 MiB the runtime does without its optimisations and loads; it is the first run that does not fit.
  it.each([150, 300, 600])('is refused under %i MiB', async (mebibytes) => {
    await expect(limited(mebibytes)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringMatching(
        new RegExp(`light_vgg19/model.onnx needs more than ${mebibytes} MiB to load`),
      ),
    });
  });

  it.each(['inline', 'thread'] as const)(
    'is tried in a process before it comes to the host %s',
    async (host) => {
      const before = process.memoryUsage.rss();
      await expect(limited(400, { host })).rejects.toThrow(/needs more than 400 MiB to load/);
      expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20);
    },
  );
});

describe.skipIf(process.platform !== 'linux')('children of a server', () => {
  it('go when it is killed', async () => {
    const server = startNimify([
      ...['serve', PRODUCTS, '--engine-host', 'process', '--instances', '2', '--threads', '1'],
      ...['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'],
    ]);
    await server.printed(/serves 1 model/);
    const children = childrenOf(server.process.pid!);
    expect(children.length).toBeGreaterThan(0);
    server.process.kill('SIGKILL');
    await server.finished;
    await untilGone(children);
  });
});

describeWith(['python'], 'a Python child', () => {
  it.skipIf(process.platform !== 'linux')(
    'goes when its server is killed, also in the middle of a run',
    async () => {
      const server = startNimify([
        'serve',
        UNRULY,
        '--http-port',
        '0',
        '--metrics-port',
        '0',
        '--grpc-port',
        '0',
      ]);
      const [, url] = await server.printed(/at (http:\S+)/);
      const children = childrenOf(server.process.pid!);
      expect(children).toHaveLength(1);
      const isSleeping = new Promise<void>((resolve) => {
        server.process.stderr?.on('data', (chunk: Buffer) => chunk.includes('asked for sleep') && resolve());
      });
      const headers = { 'content-type': 'application/json' };
      const asked = fetch(`${url}/v1/predict`, { method: 'POST', headers, body: '{"what":["sleep"]}' }).catch(
        () => {},
      );
      await isSleeping;
      server.process.kill('SIGKILL');
      await Promise.all([server.finished, asked]);
      await untilGone(children);
    },
  );
});
