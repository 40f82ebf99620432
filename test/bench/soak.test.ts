import { spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpCaller } from '../../bench/soak/http-caller.mjs';
import { judge, type Soaked } from '../../bench/soak/judge.mjs';
import { createLedger, type Ledger, type SoakRequest } from '../../bench/soak/ledger.mjs';

const SOAK = fileURLToPath(new URL('../../bench/soak/run.mjs', import.meta.url));
const EXPECTED = { name: 'y', datatype: 'FP32', bytes: Buffer.from(Float32Array.of(1.5, -0).buffer) };

function requestOf(more: Partial<SoakRequest> = {}): SoakRequest {
  return {
    ...{ number: 7, kind: 'plain', model: 'm', isBinary: false, stayMs: 0, sentShare: 0.5, parameters: {} },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1, 2) }],
    expected: [EXPECTED],
    ...more,
  };
}

const answerOf = (id = '7', bytes = EXPECTED.bytes) => ({ answer: { id, outputs: [{ name: 'y', bytes }] } });

describe.runIf(process.platform === 'linux')('a soak', () => {
  it('finds nothing wrong with a server in some seconds', async () => {
    const child = spawn(process.execPath, [SOAK, '--minutes', '0.1', '--out', '-'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringMatching(/every request/) });
    expect(said).toMatch(/\n\d+ s: [1-9]\d* requests, 0 faults; /);
  });
});

describe('the ledger of a soak', () => {
  const settle = (request: SoakRequest, outcome: Parameters<Ledger['settle']>[1]) => {
    const ledger = createLedger();
    ledger.sent();
    ledger.settle(request, outcome);
    expect(ledger.isBalanced()).toBe(true);
    return ledger.counts;
  };

  it('takes an answer that is right bit for bit, and no other', () => {
    expect(settle(requestOf(), answerOf())).toMatchObject({ answered: 1, rows: 2, wrong: 0 });
    expect(settle(requestOf(), answerOf('8'))).toMatchObject({ answered: 0, wrong: 1 });
    const plusZero = Buffer.from(Float32Array.of(1.5, 0).buffer);
    expect(settle(requestOf(), answerOf('7', plusZero))).toMatchObject({ wrong: 1 });
    expect(settle(requestOf({ kind: 'bad' }), answerOf())).toMatchObject({ wrong: 1 });
  });

  it('takes refusals of those who could be refused', () => {
    const late = requestOf({ kind: 'deadline', deadlineMs: 1 });
    expect(settle(late, { code: 'OVERLOADED' })).toMatchObject({ refused: 1, unexpected: 0 });
    expect(settle(late, { code: 'ENGINE_FAILED' })).toMatchObject({ unexpected: 1 });
    expect(settle(requestOf(), { code: 'OVERLOADED' })).toMatchObject({ unexpected: 1 });
    expect(settle(requestOf({ kind: 'bad' }), { code: 'INVALID_INPUT' })).toMatchObject({ rejected: 1 });
    expect(settle(requestOf(), { lost: 'the connection was closed' })).toMatchObject({ lost: 1 });
  });

  it('misses a request that has no end', () => {
    const ledger = createLedger();
    ledger.sent();
    expect(ledger.isBalanced()).toBe(false);
  });
});

describe('a client of a soak', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function callerOf(answer: (socket: Socket) => void) {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket)));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ledger = createLedger();
    const { port } = server.address() as { port: number };
    return { ledger, caller: createHttpCaller({ port, ledger }) };
  }

  const json = JSON.stringify({ id: '7', outputs: [{ name: 'y', datatype: 'FP32', data: [1.5, 2] }] });
  const right = json.replace('2]', '-0]');
  const http = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

  it('compares what comes with what is expected', async () => {
    for (const [body, counts] of [
      [right, { answered: 1, wrong: 0 }],
      [json, { answered: 0, wrong: 1 }],
    ] as const) {
      const { ledger, caller } = await callerOf((socket) => socket.write(http(body)));
      await caller.call(requestOf());
      await caller.hangUp();
      expect(ledger.counts).toMatchObject({ ...counts, surplus: 0, lost: 0 });
    }
  });

  it('notices an answer that comes twice, and one that never comes', async () => {
    const twice = await callerOf((socket) => socket.write(http(right) + http(right)));
    await twice.caller.call(requestOf());
    await expect.poll(() => twice.ledger.counts).toMatchObject({ answered: 1, surplus: 1 });
    await twice.caller.hangUp();
    const never = await callerOf((socket) => socket.end(http(right).slice(0, 30)));
    await never.caller.call(requestOf());
    expect(never.ledger.counts).toMatchObject({ answered: 0, lost: 1 });
  });

  it('hangs up where it is to', async () => {
    const { ledger, caller } = await callerOf(() => {});
    await caller.call(requestOf({ kind: 'cancel' }));
    await caller.call(requestOf({ kind: 'half' }));
    expect(ledger.counts).toMatchObject({ abandoned: 2, lost: 0, surplus: 0 });
  });
});

describe('the judge of a soak', () => {
  type Pause = Soaked['pauses'][number];
  const pauses = (heldAt: (at: number) => Partial<Pause> = () => ({})) =>
    Array.from({ length: 12 }, (_, at) => ({
      ...{ memoryMib: 200, handles: 40, loops: 5, threads: 15 },
      ...heldAt(at),
    }));
  const soaked: Soaked = {
    ...{ counts: { sent: 9, lost: 0, surplus: 0, wrong: 0, unexpected: 0 }, isBalanced: true, cores: 2 },
    ...{ pauses: pauses(), exit: 0, logFaults: [] },
    served: [{ model: 'm', answered: 5, successes: 6, mayHave: 1 }],
  };
  const failed = (more: Partial<Soaked>) =>
    judge({ ...soaked, ...more })
      .filter(({ isOk }) => isOk === false)
      .map(({ what }) => what);

  it('finds what is wrong', () => {
    expect(failed({})).toEqual([]);
    expect(failed({ counts: { ...soaked.counts, wrong: 1 } })).toHaveLength(1);
    expect(failed({ isBalanced: false })).toEqual(['every request has one end']);
    expect(failed({ served: [{ model: 'm', answered: 5, successes: 7, mayHave: 1 }] })).toHaveLength(1);
    expect(failed({ served: [{ model: 'm', answered: 5, successes: 4, mayHave: 1 }] })).toHaveLength(1);
    expect(failed({ exit: 'SIGKILL', logFaults: ['x'] })).toHaveLength(2);
  });

  it('finds growth after the first third, where there is enough to see it', () => {
    const growth = (heldAt: (at: number) => Partial<Pause>) => failed({ pauses: pauses(heldAt) });
    expect(growth((at) => ({ memoryMib: at < 4 ? 100 : 200 }))).toEqual([]);
    expect(growth((at) => ({ memoryMib: 200 + 10 * at }))).toEqual(['growth of resident memory, MiB']);
    expect(growth((at) => ({ handles: 40 + at }))).toEqual([
      'growth of open handles, without those of threads',
    ]);
    expect(failed({ pauses: pauses((at) => ({ memoryMib: 200 * at })).slice(0, 4) })).toEqual([]);
  });

  it('lets a thread for each core open late, with its handles, and no more', () => {
    const opening = (most: number) => (at: number) => {
      const more = at < 7 ? 0 : most;
      return { handles: 40 + 4 * more, loops: 5 + more, threads: 15 + more };
    };
    expect(failed({ pauses: pauses(opening(2)) })).toEqual([]);
    expect(failed({ pauses: pauses(opening(3)) })).toEqual(['growth of threads']);
  });
});
