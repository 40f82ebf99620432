import { describe, expect, it } from 'vitest';
import { openRaw, type RawClient, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { childServer } from './child-server.ts';
import { askIris, askIrisUntil, IRIS, IRIS_BODY } from './models.ts';

const CLIENTS = 1000;

describe.runIf(process.platform === 'linux')('1000 clients that send half a request and wait', () => {
  const server = childServer({ models: [IRIS], http: { receiveTimeoutMs: 2000 } });

  it('are answered with 408 and cut off, while others are served', async () => {
    const whole = rawRequest(
      'POST',
      '/v2/models/iris/infer',
      { 'content-type': 'application/json' },
      IRIS_BODY,
    );
    const clients: RawClient[] = [];
    for (let i = 0; i < CLIENTS; i += 1) {
      const client = await openRaw(server.port);
      // By turns: nothing at all after a first byte, half of the head, all but the last byte of the body.
      client.send(whole.subarray(0, [1, 40, whole.length - 1][i % 3]));
      clients.push(client);
    }
    const answers = Promise.all(
      clients.map(async (client) => {
        const { status } = await client.next();
        await client.closed;
        return status;
      }),
    );
    expect(await askIrisUntil(server.url, answers)).toEqual(new Set([200]));
    expect(new Set(await answers)).toEqual(new Set([408]));
    expect(await askIris(server.url)).toBe(200);
  });
});
