import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import {
  createFrameSplitter,
  ERROR_NAMES,
  FLAG,
  type Frame,
  PREFACE,
  ping,
  SETTING,
  settings,
  TYPE,
} from './http2-frames.ts';

/** Test support: one connection on which any bytes can be sent. It checks nothing, and reads frames as they come. */
export interface FrameClient {
  readonly socket: Socket;
  /** All that have come; where they are not kept, GOAWAY alone. */
  readonly frames: readonly Frame[];
  /** Has the connection ended, whoever ended it? */
  readonly isClosed: boolean;
  readonly closed: Promise<void>;
  /** Has it ended, or has the server said why it ends it? */
  readonly isOver: boolean;
  /** All in one write. Nothing happens on a connection that has ended. */
  write(...pieces: readonly Uint8Array[]): void;
  /** The same; resolves when the kernel has taken it, or the connection has ended. */
  writeOut(...pieces: readonly Uint8Array[]): Promise<void>;
  /** The first frame of which it is true, come or to come; undefined: the connection was over before. */
  waitFor(isIt: (frame: Frame) => boolean): Promise<Frame | undefined>;
  /** Has everything that was sent been read? False: the connection is over. */
  isAlive(): Promise<boolean>;
  /** What has come of a stream. */
  outcomeOf(streamId: number): StreamOutcome;
  /** The same, once the stream has ended or the connection is over. */
  outcome(streamId: number): Promise<StreamOutcome>;
  destroy(): void;
}

export interface StreamOutcome {
  readonly headers: number;
  /** Of its DATA. */
  readonly body: Buffer;
  readonly isEnded: boolean;
  /** The code of its RST_STREAM. */
  readonly reset: string | undefined;
}

export interface FrameClientOptions {
  /** SETTINGS after the preface. Default: empty; undefined: neither is sent, nor is anything else by itself. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | undefined;
  /** Default true. False: frames are read and forgotten. */
  readonly keep?: boolean;
  readonly secure?: ConnectionOptions;
}

export async function connectFrames(port: number, options: FrameClientOptions = {}): Promise<FrameClient> {
  const { keep = true, secure } = options;
  const greets = !('settings' in options) || options.settings !== undefined;
  const address = { port, host: '127.0.0.1', allowHalfOpen: true };
  const socket =
    secure === undefined
      ? connect(address)
      : connectSecurely({ ...address, ALPNProtocols: ['h2'], ...secure });
  const frames: Frame[] = [];
  /** Streams that have ended or were reset. */
  const settled = new Set<number>();
  const watchers = new Set<() => void>();
  let isClosed = false;
  let isOver = false;
  let pings = 0;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    isOver = true;
    for (const look of watchers) look();
  }

  function take(frame: Frame): void {
    if (keep || frame.type === TYPE.goaway) frames.push(frame);
    if (endsStream(frame) || frame.type === TYPE.rstStream) settled.add(frame.streamId);
    if (frame.type === TYPE.goaway && frame.payload.readUInt32BE(4) !== 0) isOver = true;
    if (greets && !(frame.flags & FLAG.ack)) {
      if (frame.type === TYPE.settings) write(settings([], FLAG.ack));
      if (frame.type === TYPE.ping) write(ping(frame.payload.toString('latin1'), FLAG.ack));
    }
    for (const look of watchers) look();
  }

  function write(...pieces: readonly Uint8Array[]): void {
    if (!isClosed && socket.writable) socket.write(Buffer.concat(pieces));
  }

  // A reset is one of the ways in which a connection may close here.
  socket.on('error', () => {});
  socket.on('data', createFrameSplitter(take));
  socket.on('end', () => {
    close();
    socket.end();
  });
  socket.on('close', close);
  const closed = new Promise<void>((resolve) => watchers.add(() => isClosed && resolve()));
  await once(socket, secure === undefined ? 'connect' : 'secureConnect');
  socket.setNoDelay(true);
  if (greets) write(PREFACE, settings(options.settings ?? []));

  /** What `find` gives once it gives something; undefined: the connection was over first. */
  function found<T>(find: () => T | undefined): Promise<T | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const result = find();
        if (result === undefined && !isOver) return;
        watchers.delete(look);
        resolve(result);
      };
      watchers.add(look);
      look();
    });
  }

  function outcomeOf(streamId: number): StreamOutcome {
    const own = frames.filter((one) => one.streamId === streamId);
    const reset = own.find(({ type }) => type === TYPE.rstStream);
    return {
      headers: own.filter(({ type }) => type === TYPE.headers).length,
      body: Buffer.concat(own.filter(({ type }) => type === TYPE.data).map(({ payload }) => payload)),
      isEnded: own.some(endsStream),
      reset: reset && errorName(reset.payload.readUInt32BE(0)),
    };
  }

  return {
    socket,
    frames,
    get isClosed() {
      return isClosed;
    },
    closed,
    get isOver() {
      return isOver;
    },
    write,
    writeOut(...pieces) {
      if (isClosed || !socket.writable) return Promise.resolve();
      return new Promise((resolve) => {
        socket.write(Buffer.concat(pieces), () => resolve());
        void closed.then(resolve);
      });
    },
    waitFor: (isIt) => found(() => frames.find(isIt)),
    async isAlive() {
      pings += 1;
      const word = `alive${pings}`.padEnd(8);
      write(ping(word));
      const isIt = ({ type, payload }: Frame) => type === TYPE.ping && payload.toString('latin1') === word;
      return (await found(() => frames.find(isIt))) !== undefined;
    },
    outcomeOf,
    async outcome(streamId) {
      await found(() => settled.has(streamId) || undefined);
      return outcomeOf(streamId);
    },
    destroy: () => socket.destroy(),
  };
}

/** The code of the last GOAWAY. */
export function goawayOf({ frames }: Pick<FrameClient, 'frames'>): string | undefined {
  const last = frames.findLast(({ type }) => type === TYPE.goaway);
  return last && errorName(last.payload.readUInt32BE(4));
}

/** A setting of the server's; undefined: it has said nothing of it. */
export async function settingOf(client: FrameClient, id: keyof typeof SETTING): Promise<number | undefined> {
  const said = await client.waitFor(({ type, flags }) => type === TYPE.settings && !(flags & FLAG.ack));
  for (let at = 0; said !== undefined && at < said.payload.length; at += 6) {
    if (said.payload.readUInt16BE(at) === SETTING[id]) return said.payload.readUInt32BE(at + 2);
  }
  return undefined;
}

function endsStream({ type, flags }: Frame): boolean {
  return type <= TYPE.headers && (flags & FLAG.endStream) !== 0;
}

function errorName(code: number): string {
  return ERROR_NAMES[code] ?? String(code);
}
