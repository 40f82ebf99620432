import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openRaw } from '../../src/protocol/http/raw-client.ts';
import { childServer } from './child-server.ts';
import { askIris, askIrisUntil, IRIS } from './models.ts';

const TWO_GIB = 2 ** 31;
const PART = Buffer.alloc(2 ** 20, 0x20);
const CHUNK = Buffer.concat([Buffer.from(`${PART.length.toString(16)}\r\n`), PART, Buffer.from('\r\n')]);
const HEAD =
  'POST /v2/models/iris/infer HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nconnection: close\r\n';

describe.runIf(process.platform === 'linux')('a body of 2 GiB', () => {
  const MAX_MIB = 64;
  const server = childServer({ models: [IRIS] });

  it.each([
    ['with its length announced', `content-length: ${TWO_GIB}`, PART, MAX_MIB * 2],
    ['in chunks', 'transfer-encoding: chunked', CHUNK, MAX_MIB * 3],
  ])(
    '%s is refused while it comes, in bounded memory; others are served',
    async (_, length, part, growthMib) => {
      expect(await askIris(server.url)).toBe(200);
      const before = server.residentMib();
      server.forgetPeak();
      const client = await openRaw(server.port);
      const answer = client.next();
      client.send(`${HEAD}${length}\r\n\r\n`);
      const sent = (async () => {
        for (let bytes = 0; bytes < TWO_GIB && !client.socket.destroyed; bytes += PART.length) {
          if (!client.socket.write(part)) await Promise.race([once(client.socket, 'drain'), client.closed]);
        }
      })();
      expect(await askIrisUntil(server.url, Promise.all([sent, answer]))).toEqual(new Set([200]));
      expect(await answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
      await client.closed;
      expect(server.peakMib() - before).toBeLessThan(growthMib);
    },
  );
});
