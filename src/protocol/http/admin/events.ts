import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { shorten } from '../../../base/oip/json-object.ts';
import { EVENT_LEVELS, EVENT_TYPES } from '../../../base/telemetry/events.ts';
import { didYouMean } from '../../../base/util/nearest-name.ts';
import type { EventFilter } from '../../../control/events/contract.ts';
import type { HttpDeps } from '../deps.ts';

/** Time between two looks for what is new, for those who follow. */
const LOOK_MS = 500;
const DEFAULT_LIMIT = 100;
/** More do not happen between two looks. */
const MOST_AT_ONCE = 1000;

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * What happened: the latest records and the incidents that are open, or with `follow` the records one a line
 * (application/x-ndjson), those to come as well.
 */
export function registerEvents(app: FastifyInstance, deps: HttpDeps): void {
  app.get<{ Querystring: Query }>('/admin/events', async (request, reply) => {
    const { filter, isFollowing } = readQuery(request.query);
    if (!isFollowing) {
      const [events, open] = await Promise.all([deps.cluster.events(filter), deps.cluster.openIncidents()]);
      return { events, open };
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'x-request-id': request.id,
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
    });
    raw.flushHeaders();
    if (request.method === 'HEAD') raw.end();
    // The answer has begun, so that there is no other way to say that it is not whole.
    else await follow(raw, filter, deps).catch(() => raw.destroy());
    return reply;
  });
}

/** Until the client leaves or the server drains. A client that takes nothing is told nothing, until it does. */
async function follow(raw: ServerResponse, filter: EventFilter, { cluster, clock }: HttpDeps): Promise<void> {
  const after: Record<number, number> = {};
  let wake = () => {};
  raw.on('close', () => wake());
  // What had happened before is limited, what happens from now on is not.
  let next: EventFilter = { ...filter, after };
  while (!raw.destroyed && !cluster.isDraining) {
    const fresh = raw.writableNeedDrain ? [] : await cluster.events(next);
    for (const { process, id } of fresh) after[process] = Math.max(after[process] ?? 0, id);
    if (fresh.length > 0 && !raw.destroyed)
      raw.write(fresh.map((one) => `${JSON.stringify(one)}\n`).join(''));
    next = { ...filter, after, limit: MOST_AT_ONCE };
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, LOOK_MS);
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
  raw.end();
}

/** @throws NimifyError INVALID_INPUT */
function readQuery(query: Query): { readonly filter: EventFilter; readonly isFollowing: boolean } {
  const known = ['type', 'model', 'state', 'limit', 'follow'];
  const given = new Map<string, string>();
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name)) throw unknown(name, known);
    // Given several times it means any of them.
    given.set(name, typeof value === 'string' ? value : (value ?? []).join(','));
  }
  const limit = given.get('limit');
  if (limit !== undefined && !/^\d{1,4}$/.test(limit)) throw wrong('limit', 'a number up to 9999', limit);
  const follow = given.get('follow');
  if (follow !== undefined && !['', '1', 'true', '0', 'false'].includes(follow)) {
    throw wrong('follow', 'true or false', follow);
  }
  const model = given.get('model');
  const types = wordsOf(given, 'type', Object.keys(EVENT_TYPES));
  const states = wordsOf(given, 'state', EVENT_LEVELS);
  return {
    filter: {
      ...(types === undefined ? {} : { types }),
      ...(states === undefined ? {} : { states }),
      ...(model === undefined ? {} : { model }),
      limit: limit === undefined ? DEFAULT_LIMIT : Number(limit),
    },
    isFollowing: follow !== undefined && !['0', 'false'].includes(follow),
  };
}

function wordsOf<Word extends string>(
  given: ReadonlyMap<string, string>,
  name: string,
  known: readonly Word[],
): readonly Word[] | undefined {
  const words = given.get(name)?.split(',');
  const strange = words?.find((word) => !known.includes(word as Word));
  if (strange === undefined) return words as readonly Word[] | undefined;
  throw wrong(name, `one or more of ${known.join(', ')}`, strange, didYouMean(strange, known));
}

function wrong(name: string, expected: string, got: string, hint = '') {
  const where = `query.${name}`;
  const message = `${where}: expected ${expected}, got ${shorten(got)}${hint}`;
  return invalidInput(message, { where, expected, got: shorten(got) });
}

function unknown(name: string, known: readonly string[]) {
  const where = `query.${shorten(name)}`;
  const message = `${where}: there is no such parameter; known: ${known.join(', ')}${didYouMean(name, known)}`;
  return invalidInput(message, { where, expected: known });
}
