import { afterEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../control/events/contract.ts';
import { createFakeDeps, type FakeDeps } from '../fake-registry.ts';
import { createHttpServer, type HttpServer } from '../server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function serve(): Promise<FakeDeps & { readonly url: string }> {
  const deps = createFakeDeps([{ name: 'm' }]);
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  return { ...deps, url: `http://127.0.0.1:${port}` };
}

async function getJson(
  url: string,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function typesOf(records: unknown): readonly string[] {
  return (records as readonly EventRecord[]).map(({ type, change }) => `${type} ${change}`);
}

/** Reads so many records of an answer that goes on. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<EventRecord[]> {
  let text = '';
  while (text.split('\n').length <= count) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventRecord);
}

describe('GET /admin/events', () => {
  it('lists what happened, and what is open', async () => {
    const { events, url } = await serve();
    expect((await getJson(`${url}/admin/events`)).body).toEqual({ events: [], open: [] });
    events.report({ type: 'breaker-opened', model: 'm', message: 'x' });
    events.report({ type: 'config-reloaded', message: 'y' });
    const { body } = await getJson(`${url}/admin/events`);
    expect(typesOf(body.events)).toEqual(['breaker-opened opened', 'config-reloaded noted']);
    expect(typesOf(body.open)).toEqual(['breaker-opened opened']);
  });

  it('chooses by type, state, model and number', async () => {
    const { events, url } = await serve();
    events.report({ type: 'breaker-opened', model: 'm', message: 'x' });
    events.report({ type: 'model-degraded', model: 'n', message: 'x' });
    events.report({ type: 'config-reloaded', message: 'x' });
    const of = async (query: string) => typesOf((await getJson(`${url}/admin/events?${query}`)).body.events);
    expect(await of('type=model-degraded,config-reloaded')).toHaveLength(2);
    expect(await of('type=model-degraded&type=config-reloaded')).toHaveLength(2);
    expect(await of('state=mitigating')).toEqual(['breaker-opened opened']);
    expect(await of('model=n')).toEqual(['model-degraded opened']);
    expect(await of('limit=1')).toEqual(['config-reloaded noted']);
    expect(await of('limit=0')).toEqual([]);
    expect(await of('follow=false')).toHaveLength(3);
  });

  it.each([
    ['type=slo-burnt', 'query.type: expected one or more of breaker-opened,'],
    ['type=slo-burnt', "got slo-burnt; did you mean 'slo-burn'?"],
    [
      'state=bad',
      'query.state: expected one or more of noticed, mitigating, degraded, paging, resolved, got bad',
    ],
    ['limit=-1', 'query.limit: expected a number up to 9999, got -1'],
    ['follow=maybe', 'query.follow: expected true or false, got maybe'],
    [
      'modell=m',
      "query.modell: there is no such parameter; known: type, model, state, limit, follow; did you mean 'model'?",
    ],
  ])('refuses %s', async (query, message) => {
    const { url } = await serve();
    const { status, body } = await getJson(`${url}/admin/events?${query}`);
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT']);
    expect(body.error).toContain(message);
  });

  it('follows: what happened, and then what happens, each once', async () => {
    const { events, url } = await serve();
    for (const model of ['a', 'b', 'c']) events.report({ type: 'breaker-opened', model, message: 'x' });
    const response = await fetch(`${url}/admin/events?follow&limit=2`);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const reader = response.body!.getReader();
    expect((await read(reader, 2)).map(({ model }) => model)).toEqual(['b', 'c']);
    events.report({ type: 'breaker-closed', model: 'a', message: 'y' });
    expect(typesOf(await read(reader, 1))).toEqual(['breaker-closed ended']);
    events.startDraining();
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it('lets a server end that is followed', async () => {
    const { events, url } = await serve();
    const response = await fetch(`${url}/admin/events?follow=true`);
    events.startDraining();
    await servers.splice(0)[0]?.close({ graceMs: 60_000 });
    expect(await response.text()).toBe('');
  });

  it('stops looking for a client that has left', async () => {
    const { url, cluster } = await serve();
    let looks = 0;
    const { events } = cluster;
    Object.assign(cluster, {
      events(filter: object) {
        looks += 1;
        return events(filter);
      },
    });
    const aborting = new AbortController();
    await fetch(`${url}/admin/events?follow=true`, { signal: aborting.signal });
    aborting.abort();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(looks).toBe(before);
  });
});

it('GET /admin/slo tells the objectives', async () => {
  const { url } = await serve();
  expect(await getJson(`${url}/admin/slo`)).toEqual({ status: 200, body: { objectives: [] } });
  expect((await fetch(`${url}/admin/slo`, { method: 'POST' })).status).toBe(405);
});
