import { expect } from 'vitest';
import {
  connectFrames,
  type FrameClient,
  type FrameClientOptions,
  goawayOf,
} from '../../support/http2-client.ts';
import { call, message, type Served, verdictOf } from '../../support/http2-server.ts';

/**
 * What a server makes of something on a connection that it may object to:
 * - `connection CODE`: it ends the connection, and says why; `closed`: it says nothing
 * - what became of stream 1 (see `verdictOf`), on a connection that goes on
 */
export type Verdict = string;

export interface Case {
  readonly what: string;
  /** Of RFC 9113, or of RFC 7541 where `HPACK ` stands before it. */
  readonly section: string;
  readonly sends: readonly Uint8Array[];
  readonly verdicts: readonly Verdict[];
  readonly options?: FrameClientOptions;
}

/** A stream that no case uses. */
const PROBE_STREAM = 0x7fff_0001;

/**
 * Sends it on a connection of its own, and then one more call, which must be answered unless the connection ends. Others
 * must be answered in any case.
 */
export async function judge(
  served: Served,
  { sends, options }: Pick<Case, 'sends' | 'options'>,
): Promise<Verdict> {
  const client = await connectFrames(served.port, options);
  try {
    client.write(...sends);
    await turns(2);
    const isAlive = await client.isAlive();
    served.release();
    const verdict = isAlive ? await verdictAlive(client) : await endOf(client);
    await expectServing(served.port);
    expect(served.faults).toEqual([]);
    return verdict;
  } finally {
    client.destroy();
  }
}

async function verdictAlive(client: FrameClient): Promise<Verdict> {
  client.write(call(PROBE_STREAM, message('probe')));
  const probed = verdictOf(await client.outcome(PROBE_STREAM));
  if (client.isOver) return endOf(client);
  if (probed !== 'answered probe') return `the next call: ${probed}`;
  return verdictOf(client.outcomeOf(1));
}

/** Of a connection that has ended, or on which the server has said that it ends it. */
export async function endOf(client: FrameClient): Promise<Verdict> {
  await client.closed;
  const code = goawayOf(client);
  return code === undefined ? 'closed' : `connection ${code}`;
}

/** Another connection is served. */
export async function expectServing(port: number): Promise<void> {
  const other = await connectFrames(port);
  try {
    other.write(call(1, message('other')));
    expect(verdictOf(await other.outcome(1))).toBe('answered other');
  } finally {
    other.destroy();
  }
}

/** Turns of the event loop, which client and server share. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
