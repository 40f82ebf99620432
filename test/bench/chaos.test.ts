import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { judgeRow } from '../../bench/chaos/bars.mjs';
import { requestOf } from '../../bench/chaos/models.mjs';
import { outcomeOf } from '../../bench/chaos/outcomes.mjs';
import { type FaultRecord, rowOf } from '../../bench/chaos/row.mjs';

const MODELS = join(import.meta.dirname, '../../bench/chaos/models');
const REQUEST = requestOf({ number: 7, model: 'sums', isBinary: false, deadlineMs: 100, random: () => 0.5 });
const RIGHT = [...new Float32Array(Uint8Array.from(REQUEST.expected[0]!.bytes).buffer)];

const answer = (status: number, body: object, headers: Record<string, string> = {}) => ({
  answer: { status, headers, body: Buffer.from(JSON.stringify(body)) },
});
const outputs = (data: readonly number[]) => [{ name: 'y', datatype: 'FP32', shape: [1, 4], data }];
const is = (came: Parameters<typeof outcomeOf>[1], latencyMs = 5) => outcomeOf(REQUEST, came, latencyMs).is;

describe('what became of a request of the fault suite', () => {
  it('is right, in time or late', () => {
    expect(is(answer(200, { id: '7', outputs: outputs(RIGHT) }))).toBe('correct');
    expect(is(answer(200, { id: '7', outputs: outputs(RIGHT) }), 101)).toBe('late');
  });

  it("is wrong where it is another's, damaged, or no answer to it", () => {
    const [first = 0, ...others] = RIGHT;
    expect(is(answer(200, { id: '8', outputs: outputs(RIGHT) }))).toBe('wrong');
    expect(is(answer(200, { id: '7', outputs: outputs([first + 1, ...others]) }))).toBe('wrong');
    expect(is(answer(200, { id: '7', outputs: [] }))).toBe('wrong');
    expect(is({ answer: { status: 200, headers: {}, body: Buffer.from('{') } })).toBe('wrong');
  });

  it('is refused with the truth, or without', () => {
    expect(is(answer(503, { code: 'CIRCUIT_OPEN' }, { 'retry-after': '1' }))).toBe('refused');
    expect(is(answer(429, { code: 'OVERLOADED' }, { 'retry-after': '1' }))).toBe('refused');
    expect(is(answer(504, { code: 'DEADLINE_EXCEEDED' }))).toBe('refused');
    expect(is(answer(503, { code: 'ENGINE_CRASHED' }))).toBe('failed');
    expect(is(answer(400, { code: 'INVALID_INPUT' }, { 'retry-after': '1' }))).toBe('failed');
    expect(is(answer(500, { code: 'INTERNAL' }))).toBe('failed');
  });

  it('is lost where nothing came', () => {
    expect(is({ lost: 'ECONNRESET', openedMs: 0 })).toBe('lost');
  });
});

describe('models of the fault suite', () => {
  it.each(['sums', 'sines'])('%s gives what the suite expects', async (name) => {
    const session = await InferenceSession.create(join(MODELS, `${name}.onnx`));
    const requests = [0, 96, 97, 12_345].map((number) =>
      requestOf({ number, model: name, isBinary: true, deadlineMs: 1, random: () => (number % 10) / 10 }),
    );
    const data = Float32Array.from(requests.flatMap(({ inputs }) => [...inputs[0]!.data]));
    const { y } = await session.run({ x: new Tensor('float32', data, [requests.length, 8]) });
    const expected = Buffer.concat(requests.map((request) => request.expected[0]!.bytes));
    const got = y!.data as Float32Array;
    expect(Buffer.from(got.buffer, got.byteOffset, got.byteLength).equals(expected)).toBe(true);
    await session.release();
  });
});

/** One request each 10 ms, from 1000 ms before the fault to 2000 ms after; answered by `become`. */
function recordsOf(become: (atMs: number) => Partial<FaultRecord>): FaultRecord[] {
  return Array.from({ length: 300 }, (_, number) => {
    const dueMs = number * 10;
    const one = { ...{ number, model: 'sums', group: 'direct', dueMs, sentMs: dueMs, doneMs: dueMs + 5 } };
    return { ...one, is: 'correct' as const, ...become(dueMs - 1000) };
  });
}

const ROW = {
  fault: { name: 'x', signs: ['instance-crashed'], mends: ['instance-replaced'] },
  ...{ policies: 'default', begins: { ms: 1000, wallMs: 5000 }, endsMs: 1000, startMs: 0, surplus: 0 },
  ...{ events: [], counters: { retries: 0, hedges: 0 }, extras: {}, isAlive: true },
};

describe('a row of the fault suite', () => {
  it('says when nearly all were in time again', () => {
    const back = (badUntilMs: number) =>
      rowOf({
        ...ROW,
        records: recordsOf((at) => (at >= 0 && at < badUntilMs ? { is: 'refused', says: 'OVERLOADED' } : {})),
      }).recoverMs;
    expect(back(0)).toBe(0);
    expect(back(600)).toBe(750);
    expect(back(10_000)).toBeUndefined();
  });

  it('tells who was in a server that died from who was lost later', () => {
    const row = rowOf({
      ...{ ...ROW, diedMs: 1001 },
      records: recordsOf((at) => {
        if (at === 0) return { is: 'lost', openedMs: 500 };
        return at === 100 ? { is: 'lost', openedMs: 1100 } : {};
      }),
    });
    expect(row).toMatchObject({ requests: 300, correct: 298, lost: 1, inFlight: 1 });
  });

  it('counts an answer too many as wrong, and those of damaged connections apart', () => {
    const records = recordsOf((at) => (at > 1500 ? { group: 'proxied', is: 'lost', openedMs: 0 } : {}));
    const row = rowOf({ ...{ ...ROW, surplus: 1 }, records });
    expect(row).toMatchObject({ wrong: 1, lost: 0, requests: 251, proxied: { requests: 49, lost: 49 } });
    const judged = rowOf({ ...{ ...ROW, fault: { name: 'x', judgesProxied: true } }, records });
    expect(judged).toMatchObject({ lost: 49, requests: 300 });
  });

  it('takes the first event since the fault began', () => {
    const events = [
      { type: 'instance-crashed', time: new Date(4000).toISOString() },
      { type: 'instance-crashed', time: new Date(5030).toISOString() },
      { type: 'instance-replaced', time: new Date(5400).toISOString() },
    ];
    const row = rowOf({ ...{ ...ROW, events }, records: recordsOf(() => ({})) });
    expect(row).toMatchObject({ detectMs: 30, mendMs: 400 });
  });
});

describe('the bars of the fault suite', () => {
  const rowWith = (become: Parameters<typeof recordsOf>[0]) => rowOf({ ...ROW, records: recordsOf(become) });
  const missed = (bars: readonly string[], row: ReturnType<typeof rowOf>) =>
    judgeRow({ bars }, row).filter(({ isMet }) => !isMet);

  it('are met where all is well', () => {
    expect(
      missed(
        ['single', 'amplification'],
        rowWith(() => ({})),
      ),
    ).toEqual([]);
  });

  it('are missed by one wrong answer and by one that is lost, however busy the machine is', () => {
    for (const is of ['wrong', 'lost'] as const) {
      const row = rowWith((at) => (at === 50 ? { is } : {}));
      expect(missed([], row)).toMatchObject([{ found: '1', isTiming: false }]);
    }
  });

  it('are missed by refusals, and where it does not come back', () => {
    const row = rowWith((at) => (at > 0 ? { is: 'refused', says: 'OVERLOADED' } : {}));
    expect(missed(['single'], row)).toMatchObject([
      { isTiming: true },
      { found: 'not again', isTiming: true },
    ]);
  });

  it('are missed where nobody noticed', () => {
    const row = rowWith(() => ({}));
    expect(missed(['breaker'], row)).toMatchObject([{ found: 'not seen' }]);
    expect(missed(['killed-each-second'], row)).toMatchObject([{ found: 'not seen' }]);
    expect(missed(['server-died'], row)).toMatchObject([{ found: 'it did not die' }, { found: 'not seen' }]);
  });
});
