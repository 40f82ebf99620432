import { createHttpClient } from '../../client/http-client.ts';
import type { EventRecord } from '../../control/events/contract.ts';
import { styleFor } from '../style.ts';
import type { EventsFlags } from './flags.ts';
import { followLines } from './follow-lines.ts';
import { renderOpen, renderRecord } from './render-record.ts';

interface Answer {
  readonly events: readonly EventRecord[];
  readonly open: readonly EventRecord[];
}

/** @throws NimifyError where the server cannot be asked, or refuses */
export async function runEvents(address: string, flags: EventsFlags): Promise<number> {
  const style = styleFor(process.stdout);
  const url = address.replace(/\/+$/, '');
  const path = `/admin/events?${queryOf(flags)}`;
  const show = (record: EventRecord) =>
    process.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : renderRecord(record, style));

  if (flags.follow) {
    for await (const line of followLines(`${url}${path}&follow=true`)) show(JSON.parse(line) as EventRecord);
    return 0;
  }
  const client = createHttpClient({ url, retry: { attempts: 1 } });
  try {
    const { events, open } = (await client.getJson(path)) as Answer;
    for (const record of events) show(record);
    if (!flags.json) process.stdout.write(renderOpen(open, events.length, style));
    return 0;
  } finally {
    await client.close();
  }
}

function queryOf({ type, model, state, limit }: EventsFlags): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  if (type !== undefined) query.set('type', type.join(','));
  if (model !== undefined) query.set('model', model);
  if (state !== undefined) query.set('state', state.join(','));
  return query;
}
