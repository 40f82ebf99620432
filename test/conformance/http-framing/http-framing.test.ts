import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpOptions } from '../../../src/protocol/http/deps.ts';
import { BODY, CASES, head, inference } from './cases.ts';
import { READINGS, type ReadingServer, serveReading } from './readings.ts';
import { type TalkOptions, talk as talkTo } from './talk.ts';

const servers: ReadingServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

type Pieces = Parameters<typeof talkTo>[1];

function talk({ port, secure }: ReadingServer, pieces: Pieces, options: TalkOptions = {}) {
  return talkTo(port, pieces, { ...options, secure });
}

describe.each(READINGS)('HTTP/1.1 framing, $name', (reading) => {
  async function serve(options: Partial<HttpOptions> = {}): Promise<ReadingServer> {
    const server = await serveReading(reading, options);
    servers.push(server);
    return server;
  }

  /** Where connections cost more, every fifth cut must do. */
  const step = reading.isSecure === true ? 5 : 1;
  let server: ReadingServer;
  beforeAll(async () => {
    server = await serve();
  });

  describe.each(Object.entries(CASES))('%s', (_title, cases) => {
    it.each(cases)('$name', async ({ bytes, statuses, fate, halfClose }) => {
      const said = await talk(server, [bytes], halfClose === undefined ? {} : { halfClose });
      expect({ ...said, text: '' }).toEqual({
        statuses: fate === 'open' ? [...statuses, 200] : statuses,
        fate,
        text: '',
      });
    });
  });

  it('a request is the same wherever it is cut in two', async () => {
    const bytes = inference('content-type: application/json');
    const whole = await talk(server, [bytes]);
    expect(whole.statuses).toEqual([200, 200]);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1).filter((at) => at % step === 0);
    const said = await Promise.all(cuts.map((at) => talk(server, [bytes.slice(0, at), bytes.slice(at)])));
    expect(new Set(said.map(({ text }) => text))).toEqual(new Set([whole.text]));
  });

  it('a request is the same byte by byte', async () => {
    const bytes = inference();
    const whole = await talk(server, [bytes]);
    expect((await talk(server, [...bytes])).text).toBe(whole.text);
  });

  it('two requests are the same wherever they are cut', async () => {
    const bytes = inference() + inference('x-other: 1');
    const whole = await talk(server, [bytes]);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1).filter(
      (at) => at % (3 * step) === 0,
    );
    const said = await Promise.all(cuts.map((at) => talk(server, [bytes.slice(0, at), bytes.slice(at)])));
    expect(new Set(said.map(({ text }) => text))).toEqual(new Set([whole.text]));
  });

  it.each([
    ['nothing', ''],
    ['a part of the request line', 'POST /v2/mod'],
    ['a part of the head', 'POST /v2/models/rows/infer HTTP/1.1\r\nhost:'],
    ['a part of the body', head(['host: test', `content-length: ${BODY.length}`]) + BODY.slice(0, 10)],
    ['a head without its body', head(['host: test', `content-length: ${BODY.length}`])],
    ['a part of the second head', `${inference()}POST /v2/models/rows`],
  ])('%s, and then nothing more, is answered with 408', async (_what, bytes) => {
    const said = await talk(await serve({ receiveTimeoutMs: 200 }), [bytes], { waits: true });
    expect([said.statuses.at(-1), said.fate]).toEqual([408, 'closed']);
  });

  it('answers in order, each to its own request', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => String(i));
    const requests = ids.map((id) => inference(`x-request-id: ${id}`));
    const { text } = await talk(server, [requests.join('')]);
    expect([...text.matchAll(/^x-request-id: (\d+)\r$/gm)].map(([, id]) => id)).toEqual(ids);
  });
});
