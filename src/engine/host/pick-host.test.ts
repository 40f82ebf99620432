import { describe, expect, it } from 'vitest';
import { createFakeSession } from './fake-session.ts';
import { pickHost, timeText } from './pick-host.ts';

function sessionTaking(...times: number[]) {
  let run = 0;
  return createFakeSession({
    run: () => ({ outputs: [], computeNs: times[Math.min(run++, times.length - 1)]! }),
  });
}

describe('pickHost', () => {
  it('stays inline where a run is far below a hop, whatever the first ones cost', async () => {
    const session = sessionTaking(30e6, 90e3, 50e3, 14e3, 14e3, 14e3, 14e3, 14e3, 9e6, 14e3);
    expect(await pickHost(session, [], ['y'])).toMatchObject({
      host: 'inline',
      reason: 'inline: a run takes 14 µs, a hop to a thread about 130 µs',
      runNs: 14e3,
    });
  });

  it('is not fooled by a machine that interrupts most runs', async () => {
    const busy = sessionTaking(1.6e6, 16e6, 1.6e6, 9e3, 1.6e6, 1.6e6, 9e3, 2e6, 2e6, 9e3, 2e6, 9e3, 2e6);
    expect(await pickHost(busy, [], ['y'])).toMatchObject({ host: 'inline', runNs: 9e3 });
  });

  it('does not take a slow model for a fast one that is interrupted, and stops soon', async () => {
    const slow = sessionTaking(90e6, 20e6);
    expect(await pickHost(slow, [], ['y'])).toMatchObject({ host: 'thread', runNs: 20e6 });
    expect(slow.runs).toHaveLength(3);
  });

  it('moves to a thread above that', async () => {
    const choice = await pickHost(sessionTaking(150e3), [], ['y']);
    expect(choice).toMatchObject({ host: 'thread', runNs: 150e3 });
    expect(choice.reason).toContain('thread: a run takes 150 µs');
  });

  it('does not measure long what is clearly slow', async () => {
    const session = sessionTaking(3e9);
    expect((await pickHost(session, [], ['y'])).reason).toContain('3.00 s');
    expect(session.runs).toHaveLength(1);
  });

  it('takes a thread where no example is known', async () => {
    const session = createFakeSession();
    expect((await pickHost(session, undefined, ['y'])).host).toBe('thread');
    expect(session.runs).toHaveLength(0);
  });
});

describe('timeText', () => {
  it('picks the unit', () => {
    expect([400, 14_200, 2_340_000, 1.5e9].map(timeText)).toEqual(['1 µs', '14 µs', '2.34 ms', '1.50 s']);
  });
});
