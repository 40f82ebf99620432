import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../util/fake-clock.ts';
import { createAccessLog, NO_ACCESS_LOG } from './access-log.ts';
import { type LogFields, SILENT } from './log.ts';
import type { RequestOutcome } from './request-instruments.ts';

const OUTCOME: RequestOutcome = {
  model: 'iris',
  version: '1',
  route: '/v1/predict',
  code: 'OK',
  totalNs: 2_500_400,
  decodeNs: 1e6,
  queueNs: 0,
  computeNs: 1e6,
  encodeNs: 5e5,
};

function setUp(options: { share?: number; slowMs?: number }, draws: readonly number[] = []) {
  const lines: LogFields[] = [];
  const fake = createFakeClock();
  const left = [...draws];
  const log = { ...SILENT, info: (fields: LogFields) => void lines.push(fields) };
  const clock = { ...fake, random: () => left.shift() ?? 0.5 };
  return { lines, clock: fake, access: createAccessLog({ log, clock }, { share: 0, slowMs: 0, ...options }) };
}

describe('createAccessLog', () => {
  it('writes nothing unless told to', () => {
    expect(setUp({}).access).toBe(NO_ACCESS_LOG);
    const { access, lines } = setUp({ slowMs: 1000 });
    access.note(OUTCOME, 'r1');
    expect(lines).toEqual([]);
  });

  it('writes a request that is slow or has failed, with its id and phases', () => {
    const { access, lines } = setUp({ slowMs: 1000 });
    access.note({ ...OUTCOME, totalNs: 1e9 }, 'r1');
    access.note({ ...OUTCOME, model: '', version: '', code: 'MODEL_NOT_FOUND' }, 'r2');
    const phases = { decodeMs: 1, queueMs: 0, computeMs: 1, encodeMs: 0.5 };
    expect(lines).toEqual([
      {
        requestId: 'r1',
        route: '/v1/predict',
        model: 'iris',
        version: '1',
        code: 'OK',
        totalMs: 1000,
        ...phases,
      },
      { requestId: 'r2', route: '/v1/predict', code: 'MODEL_NOT_FOUND', totalMs: 2.5, ...phases },
    ]);
  });

  it('writes a share of the others, drawn one by one', () => {
    const { access, lines } = setUp({ share: 0.25 }, [0.24, 0.25, 0.9, 0]);
    for (const id of ['a', 'b', 'c', 'd']) access.note({ ...OUTCOME, code: 'INTERNAL' }, id);
    expect(lines.map(({ requestId }) => requestId)).toEqual(['a', 'd']);
  });

  it('does not let failures flood the log, and tells how many it left out', () => {
    const { access, lines, clock } = setUp({ slowMs: 1 });
    for (let n = 0; n < 60; n += 1) access.note({ ...OUTCOME, code: 'INVALID_INPUT' }, `r${n}`);
    expect(lines).toHaveLength(50);
    clock.advance(1000);
    access.note({ ...OUTCOME, code: 'INVALID_INPUT' }, 'later');
    access.note({ ...OUTCOME, code: 'INVALID_INPUT' }, 'last');
    expect(lines.slice(50)).toMatchObject([{ requestId: 'later', leftOut: 10 }, { requestId: 'last' }]);
    expect(lines.at(-1)).not.toHaveProperty('leftOut');
  });
});
