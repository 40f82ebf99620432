import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createMetricsRegistry } from '../base/telemetry/metrics-registry.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createMemoryGauge } from './memory-gauge.ts';
import { createMemoryRoom } from './memory-room.ts';

const MIB = 2 ** 20;

/** A room in a process that holds 100 MiB, and whatever a test says besides. */
function roomOf(ceilingMib: number | undefined) {
  const clock = createFakeClock();
  const metrics = createMetricsRegistry();
  const state = { residentMib: 100, collected: 0, afterCollection: undefined as number | undefined };
  const room = createMemoryRoom({
    ...{ clock, metrics, log: SILENT },
    ceilingBytes: ceilingMib === undefined ? undefined : ceilingMib * MIB,
    gauge: createMemoryGauge(() => state.residentMib * MIB),
    collect() {
      state.collected += 1;
      state.residentMib = state.afterCollection ?? state.residentMib;
    },
  });
  return { clock, metrics, room, state };
}

function refusal(act: () => unknown): NimifyError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof NimifyError) return thrown;
  }
  throw new Error('nothing was refused');
}

describe('createMemoryRoom', () => {
  it('lets bodies in until what they and their work take reaches nine tenths of the ceiling', () => {
    const { room } = roomOf(200);
    // 180 - 100 MiB, three bytes for each.
    const claims = Array.from({ length: 2 }, () => room.claim(10 * MIB));
    expect(refusal(() => room.claim(7 * MIB))).toMatchObject({
      code: 'OVERLOADED',
      httpStatus: 429,
      retryAfterMs: 1000,
      details: { where: 'body' },
    });
    claims[0]?.release();
    expect(() => room.claim(10 * MIB)).not.toThrow();
  });

  it('reckons with what has come and was not measured yet', () => {
    const { room, state } = roomOf(200);
    const claim = room.claim(20 * MIB);
    // It is measured again when it comes to more than 8 MiB.
    claim.arrived(7 * MIB);
    expect(() => room.check(6 * MIB)).not.toThrow();
    state.residentMib = 120;
    claim.arrived(13 * MIB);
    expect(() => room.check(6 * MIB)).not.toThrow();
    expect(() => room.check(7 * MIB)).toThrow(/there is no memory for its 7340032 bytes/);
  });

  it('says that a body is too large where it is larger than all there could be', () => {
    const { room } = roomOf(200);
    expect(refusal(() => room.check(41 * MIB, 'message'))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { where: 'message', expected: { maxBytes: 40 * MIB } },
    });
  });

  it('refuses short requests at the ceiling, and lets them in again below it', () => {
    const { room, state, clock } = roomOf(200);
    state.residentMib = 190;
    clock.advance(1000);
    expect(() => room.checkShort()).not.toThrow();
    state.residentMib = 201;
    clock.advance(1000);
    expect(refusal(() => room.checkShort()).code).toBe('OVERLOADED');
    state.residentMib = 199;
    clock.advance(100);
    expect(() => room.checkShort()).not.toThrow();
  });

  it('is stuck where it stays above the ceiling for ten seconds, and not a moment longer', () => {
    const { room, state, clock } = roomOf(200);
    state.residentMib = 201;
    clock.advance(10_000);
    expect(room.isStuck).toBe(false);
    clock.advance(1100);
    expect(room.isStuck).toBe(true);
    state.residentMib = 150;
    clock.advance(1000);
    expect(room.isStuck).toBe(false);
  });

  it('gives back what is kept for later and collects garbage before it refuses', () => {
    const { room, state } = roomOf(200);
    let kept = 1;
    room.onShort(() => {
      kept = 0;
    });
    const first = room.claim(20 * MIB);
    state.residentMib = 160;
    first.arrived(20 * MIB);
    state.afterCollection = 120;
    expect(() => room.claim(6 * MIB)).not.toThrow();
    expect([kept, state.collected]).toEqual([0, 1]);
  });

  it('takes for free at rest what is there beyond the least there ever was', () => {
    const { room, state, clock } = roomOf(200);
    const claims = [room.claim(10 * MIB), room.claim(10 * MIB)];
    state.residentMib = 190;
    for (const claim of claims) claim.arrived(10 * MIB);
    expect(() => room.claim(MIB)).toThrow(/memory/);
    clock.advance(1000);
    // The C library keeps what was theirs, as far as it was theirs: 60 of 90 MiB.
    for (const claim of claims) claim.release();
    const next = room.claim(10 * MIB);
    expect(() => room.claim(10 * MIB)).toThrow(/memory/);
    next.release();
    expect(() => room.claim(16 * MIB)).not.toThrow();
  });

  it('lets one in below the ceiling while nothing else is held', () => {
    const { room, clock } = roomOf(200);
    // As if each byte had been seen to take sixteen.
    const seen = room.claim(5 * MIB);
    clock.advance(100);
    seen.release();
    const alone = room.claim(40 * MIB);
    expect(() => room.claim(MIB)).toThrow(/memory/);
    alone.release();
  });

  it('learns what bodies take besides themselves', () => {
    const { room, state, clock } = roomOf(1000);
    const claim = room.claim(250 * MIB);
    claim.arrived(250 * MIB);
    state.residentMib = 2000;
    state.afterCollection = 1100;
    clock.advance(100);
    claim.release();
    state.residentMib = 100;
    clock.advance(100);
    // 900 - 100 MiB, four bytes for each.
    room.claim(190 * MIB);
    expect(() => room.claim(11 * MIB)).toThrow(/memory/);
  });

  it('lets an answer go where the process holds all it may', () => {
    const { room, state, clock } = roomOf(200);
    const first = room.holdAnswer(60 * MIB, 'm');
    state.residentMib = 198;
    expect(() => room.holdAnswer(MIB, 'm')).not.toThrow();
    state.residentMib = 201;
    clock.advance(100);
    expect(refusal(() => room.holdAnswer(10 * MIB, 'm'))).toMatchObject({
      code: 'OVERLOADED',
      details: { where: 'answer' },
    });
    first?.release();
  });

  it('refuses to ask a model whose answers find no room, until one is made to see how large they are', () => {
    const { room, state, clock, metrics } = roomOf(200);
    const first = room.holdAnswer(40 * MIB, 'large');
    state.residentMib = 180;
    clock.advance(100);
    expect(() => room.checkAnswer('small', 100)).not.toThrow();
    expect(refusal(() => room.checkAnswer('large', 100))).toMatchObject({
      code: 'OVERLOADED',
      details: { where: 'answer' },
    });
    // With the body there was room for three times as much.
    expect(() => room.checkAnswer('large', 30 * MIB)).not.toThrow();
    let refused = 1;
    for (; refused < 100; refused += 1) {
      try {
        room.checkAnswer('large', 100);
        break;
      } catch {}
    }
    // 20 of 40 MiB, an eighth less with each.
    expect(refused).toBe(6);
    expect(room.holdAnswer(MIB, 'large')).toBeDefined();
    expect(metrics.render()).toContain('nimify_memory_refusals_total{reason="answer"} 6\n');
    first?.release();
  });

  it('reckons with answers that are waited for', () => {
    const { room, clock } = roomOf(200);
    room.holdAnswer(40 * MIB, 'large')?.release();
    clock.advance(1000);
    expect(room.expectAnswer('small', 100)).toBeUndefined();
    const expected = [room.expectAnswer('large', 100), room.expectAnswer('large', 100)];
    expect(() => room.checkAnswer('large', 100)).toThrow(/answer: there is no memory/);
    expected[0]?.release();
    expect(() => room.checkAnswer('large', 100)).not.toThrow();
  });

  it('gives the room of bodies that come too slowly to others, the slowest first', () => {
    const { room, state, clock, metrics } = roomOf(200);
    const revoked: string[] = [];
    const claimOf = (name: string) => {
      const claim = room.claim(10 * MIB, {
        onRevoke(error) {
          revoked.push(`${name} ${error.code}`);
          claim.release();
        },
      });
      return claim;
    };
    const slow = claimOf('slow');
    const steady = claimOf('steady');
    steady.arrived(5 * MIB);
    // Nobody else needs it, or they have not been waited for long enough.
    clock.advance(900);
    expect(() => room.claim(10 * MIB)).toThrow(/memory/);
    expect(revoked).toEqual([]);
    clock.advance(200);
    state.residentMib = 105;
    const next = room.claim(9 * MIB);
    expect(revoked).toEqual(['slow OVERLOADED']);
    slow.arrived(MIB);
    // Half of it is to come within half of the time, and a second.
    clock.advance(4000);
    expect(() => room.claim(9 * MIB)).toThrow(/memory/);
    clock.advance(1000);
    room.claim(9 * MIB);
    expect(revoked).toEqual(['slow OVERLOADED', 'steady OVERLOADED']);
    next.release();
    expect(metrics.render()).toContain('nimify_memory_refusals_total{reason="slow"} 2\n');
  });

  it('leaves bodies their room that have come, and those that would not make enough', () => {
    const { room, state, clock } = roomOf(200);
    const revoked: string[] = [];
    const whole = room.claim(10 * MIB, { onRevoke: () => revoked.push('whole') });
    whole.arrived(10 * MIB);
    state.residentMib = 110;
    whole.complete();
    const small = room.claim(MIB, { onRevoke: () => revoked.push('small') });
    clock.advance(60_000);
    expect(() => room.claim(20 * MIB)).toThrow(/memory/);
    expect(revoked).toEqual([]);
    small.release();
  });

  it('grows a claim, and counts nothing for one that is released', () => {
    const { room, metrics } = roomOf(200);
    const claim = room.claim(10 * MIB);
    claim.grow(10 * MIB);
    expect(() => claim.grow(7 * MIB)).toThrow(/memory/);
    claim.arrived(20 * MIB);
    expect(metrics.render()).toContain(`nimify_request_memory_bytes ${20 * MIB}\n`);
    claim.release();
    claim.release();
    claim.arrived(MIB);
    claim.grow(MIB);
    expect(metrics.render()).toContain('nimify_request_memory_bytes 0\n');
    expect(metrics.render()).toContain('nimify_memory_refusals_total{reason="body"} 1\n');
  });

  it('says to come back when as much as is held will have been given back', () => {
    const { room, clock } = roomOf(200);
    // 20 MiB are held for four seconds each, one after the other.
    for (let i = 0; i < 20; i += 1) {
      const claim = room.claim(20 * MIB);
      claim.arrived(20 * MIB);
      clock.advance(4000);
      claim.release();
    }
    const all = room.claim(39 * MIB);
    const { retryAfterMs = 0 } = refusal(() => room.claim(10 * MIB));
    expect(retryAfterMs).toBe(4000);
    all.release();
  });

  it('collects what loading left once nothing is held, and not before the start is over', () => {
    const { room, state, clock } = roomOf(1000);
    state.afterCollection = 60;
    expect(room.survey().usedBytes).toBe(100 * MIB);
    expect(state.collected).toBe(0);
    clock.advance(3000);
    expect([state.collected, state.residentMib]).toEqual([1, 60]);
    // Where that leaves too little, at once.
    const small = roomOf(150);
    small.state.afterCollection = 60;
    small.state.residentMib = 140;
    expect(small.room.survey().usedBytes).toBe(60 * MIB);
  });

  it('refuses nothing without a ceiling, and sets no timer', () => {
    const { room, clock } = roomOf(undefined);
    const claim = room.claim(2 ** 50);
    claim.arrived(2 ** 50);
    expect(() => room.checkShort()).not.toThrow();
    expect(() => room.holdAnswer(2 ** 50, 'm')).not.toThrow();
    expect([clock.pendingTimers, room.isShort, room.isStuck]).toEqual([0, false, false]);
  });
});
