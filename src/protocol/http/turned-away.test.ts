import { afterEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestContext } from '../../model/context.ts';
import { binaryBody, closeServers, rowsBody, serve } from './fake-infer-server.ts';
import type { FakeServedOptions } from './fake-registry.ts';
import { jsonOf } from './raw-client.ts';
import { ask, closeAll, readAlone, rows, WAYS } from './reader/reader-alone.ts';

afterEach(closeServers);
afterEach(closeAll);

/** A model that has no time for anybody, and answers those who have to be heard. */
function createFull() {
  const contexts: RequestContext[] = [];
  const model: FakeServedOptions = {
    name: 'full',
    turnAway(context, isPlain) {
      contexts.push(context);
      return isPlain() ? new NimifyError('OVERLOADED', 'no time', { retryAfterMs: 1500 }) : undefined;
    },
  };
  return { model, contexts };
}

const JUST_BYTES = { 'content-type': 'application/octet-stream', 'inference-header-content-length': 0 };

describe('a model that turns requests away beforehand', () => {
  it('spares everybody the reading of a body, which may be anything', async () => {
    const { model } = createFull();
    const { post, deps } = await serve({}, [model]);
    for (const body of [rowsBody(), rowsBody({ parameters: { binary_data_output: true } }), 'hello', '']) {
      const answer = await post('full', body);
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toBe('2');
      expect(jsonOf(answer)).toMatchObject({ code: 'OVERLOADED', error: 'no time' });
    }
    expect((await post('full', new Uint8Array(16), JUST_BYTES)).status).toBe(429);
    expect(deps.outcomes.map(({ code, model: name }) => `${code} ${name}`)).toEqual(
      Array(5).fill('OVERLOADED full'),
    );
    expect(deps.registry.statistics('full')[0]?.statistics.fail.count).toBe(5);
    expect(deps.logged).toEqual([]);
  });

  it.each([
    ['a timeout', rowsBody({ parameters: { timeout: 5_000_000 } })],
    ['a priority', rowsBody({ parameters: { priority: 1 } })],
    ['a timeout in other letters', rowsBody().replace('{', '{"parameters":{"t\\u0069meout":5000000},')],
  ])('hears a body with %s', async (_what, body) => {
    const { model } = createFull();
    const { post } = await serve({}, [model]);
    expect((await post('full', body)).status).toBe(200);
  });

  it('looks for them in the JSON alone, however long that is said to be', async () => {
    const { model } = createFull();
    const { post } = await serve({}, [model]);
    const header = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
    };
    const { bytes, length } = binaryBody(header, Buffer.from('"timeout"\\\\23456'));
    const sent = (claimed: number) =>
      post('full', bytes, { ...JUST_BYTES, 'inference-header-content-length': claimed });
    expect((await sent(length)).status).toBe(429);
    expect((await sent(bytes.length)).status).toBe(400);
    expect((await sent(bytes.length + 1)).status).toBe(400);
  });

  it('is told the deadline of the head, or the default', async () => {
    const { model, contexts } = createFull();
    const { post } = await serve({ defaultTimeoutMs: 30_000 }, [model]);
    await post('full', rowsBody());
    await post('full', rowsBody(), { 'x-request-deadline': '10ms' });
    const [first, second] = contexts.map(({ deadlineAtNs }) => deadlineAtNs);
    expect(second).toBeLessThan(first! - 20e9);
    expect((await post('full', rowsBody(), { 'x-request-deadline': 'soon' })).status).toBe(400);
  });

  it.each(WAYS)('leaves the connection in order where it is read %s', async (way) => {
    const { model } = createFull();
    const { client, deps, pool } = await readAlone(way, [model, { name: 'rows' }]);
    const one = await client();
    const large = rows(5000);
    for (const body of [large, rows(1), large]) {
      one.send(ask('full', body));
      expect((await one.next()).status).toBe(429);
    }
    one.send(Buffer.concat([ask('full'), ask('full')]));
    expect([(await one.next()).status, (await one.next()).status]).toEqual([429, 429]);
    one.send(ask('rows'));
    expect((await one.next()).status).toBe(200);
    expect(deps.outcomes).toHaveLength(6);
    // What the large ones were read into.
    expect(pool.keptBytes).toBeGreaterThanOrEqual(large.length);
    expect(pool.keptBytes).toBeLessThan(2 * large.length);
  });
});
