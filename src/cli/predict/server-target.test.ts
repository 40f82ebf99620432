import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openTarget } from './open-target.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that knows these answers by path, and no others. */
async function serverOf(answers: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? { error: 'unknown' }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const METADATA = { name: 'a b', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }], outputs: [] };

describe('openTarget on a server', () => {
  it('takes the only model there is', async () => {
    const url = await serverOf({ '/v1/models': { data: [{ id: 'a b' }] }, '/v2/models/a%20b': METADATA });
    const target = await openTarget(url, {});
    expect(target.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1], dimensionNames: [] }]);
    await target.close();
  });

  it('takes the model and version that the address names', async () => {
    const url = await serverOf({ '/base/v2/models/a%20b/versions/2': METADATA });
    const target = await openTarget(`${url}/base/v2/models/a%20b/versions/2/infer`, {});
    expect(target.inputs).toHaveLength(1);
    await target.close();
  });

  it('learns class names from nimify, and has none from another server', async () => {
    const status = { labels: { scores: ['cat', 'dog'], broken: [1] } };
    const url = await serverOf({
      '/v2/models/m': METADATA,
      '/v1/models/m': status,
      '/v2/models/n': METADATA,
    });
    const named = await openTarget(url, { model: 'm' });
    expect(named.labels).toEqual({ scores: ['cat', 'dog'] });
    const unnamed = await openTarget(url, { model: 'n' });
    expect(unnamed.labels).toEqual({});
    await Promise.all([named.close(), unnamed.close()]);
  });

  it('asks for --model where several are served, or the server has no list', async () => {
    const several = await serverOf({ '/v1/models': { data: [{ id: 'a' }, { id: 'b' }] } });
    await expect(openTarget(several, {})).rejects.toThrow(/--model; it serves a, b/);
    server?.close();
    const silent = await serverOf({});
    await expect(openTarget(silent, {})).rejects.toThrow(/^name the model with --model$/);
  });

  it('passes on that the model is unknown', async () => {
    const url = await serverOf({});
    await expect(openTarget(url, { model: 'm' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'unknown',
    });
  });
});
