import type { Socket } from 'node:net';
import { FRAME_HEAD_BYTES } from './constants.ts';

/** Small frames are gathered in buffers of this size. */
const SLAB_BYTES = 32 * 1024;
/** Kept for the next who writes. */
const MOST_SPARE = 16;

const NOTHING = Buffer.alloc(0);
const NO_SLABS: readonly Buffer[] = [];

/** Slabs that nobody uses now: a connection has one only while something is on its way. */
const spare: Buffer[] = [];

/** What is to be written on one connection: frames that leave together, in one write, when it is flushed. */
export class Outbox {
  readonly #socket: Socket;
  /** Complete pieces, in order; behind them comes what the slab has from `#start` to `#end`. */
  #pieces: Uint8Array[] = [];
  /** Its bytes from `#end` on are free, whoever still reads those before. */
  #slab: Buffer | undefined;
  #start = 0;
  #end = 0;
  /** Slabs without room, of which some pieces are views. */
  #full: readonly Buffer[] = NO_SLABS;
  /** The same, of pieces that have been flushed. */
  #flushed: readonly Buffer[] = NO_SLABS;
  /** Called when the system has taken all that is to be flushed. */
  #onTaken: (() => void)[] | undefined;
  /** All who were not called yet. */
  readonly #unsettled = new Set<() => void>();
  readonly #reclaimTaken = () => this.#reclaim();
  #waitingBytes = 0;
  #flushedBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that wait to be flushed. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes that have been flushed and that the system has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Bytes that the system has taken. Of what it was given at once it tells when it has all. */
  get takenBytes(): number {
    return this.#flushedBytes - this.backlogBytes;
  }

  /**
   * Room for so many bytes, at most 16 KiB; `put` says how many were written there.
   * @returns where they may be written: from `at` on in `slab`
   */
  room(bytes: number): Buffer {
    if (this.#slab !== undefined && this.#end + bytes > SLAB_BYTES) this.#seal();
    this.#slab ??= spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    return this.#slab;
  }

  /** Where in the slab of `room` the next bytes go. */
  get at(): number {
    return this.#end;
  }

  /** What was written there ends at `end`. */
  put(end: number): void {
    this.#waitingBytes += end - this.#end;
    this.#end = end;
  }

  /** A frame's head. */
  frameHead(length: number, type: number, flags: number, streamId: number): void {
    const slab = this.room(FRAME_HEAD_BYTES);
    writeFrameHead(slab, this.#end, length, type, flags, streamId);
    this.put(this.#end + FRAME_HEAD_BYTES);
  }

  /** A whole frame that is copied. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.room(FRAME_HEAD_BYTES + payload.length);
    this.frameHead(payload.length, type, flags, streamId);
    this.copy(payload);
  }

  /** Bytes that are copied; at most 16 KiB. */
  copy(bytes: Uint8Array): void {
    const slab = this.room(bytes.length);
    slab.set(bytes, this.#end);
    this.put(this.#end + bytes.length);
  }

  /** Bytes that must stay as they are until the system has taken them: see `whenTaken`. */
  view(bytes: Uint8Array): void {
    this.#cut();
    this.#pieces.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Calls back once, when the system has taken everything that was put in so far, or the socket has closed. */
  whenTaken(callback: () => void): void {
    this.#unsettled.add(callback);
    if (this.#waitingBytes === 0) this.#socket.write(NOTHING, () => this.#settle(callback));
    else if (this.#onTaken === undefined) this.#onTaken = [callback];
    else this.#onTaken.push(callback);
  }

  /** To be called when the socket has closed: it does not always say what becomes of what it had. */
  settleAll(): void {
    for (const callback of this.#unsettled) this.#settle(callback);
  }

  #settle(callback: () => void): void {
    if (this.#unsettled.delete(callback)) callback();
  }

  flush(): void {
    if (this.#waitingBytes === 0) return;
    const socket = this.#socket;
    if (socket.writableEnded || socket.destroyed) return;
    this.#cut();
    const pieces = this.#pieces;
    const last = pieces.length - 1;
    const done = this.#whenWritten();
    this.#pieces = [];
    this.#flushedBytes += this.#waitingBytes;
    this.#waitingBytes = 0;
    if (this.#full.length > 0) {
      this.#flushed = [...this.#flushed, ...this.#full];
      this.#full = NO_SLABS;
    }
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i += 1) socket.write(pieces[i]!);
    socket.write(pieces[last]!, done);
    if (last > 0) socket.uncork();
    this.#reclaim();
  }

  #whenWritten(): () => void {
    const callbacks = this.#onTaken;
    if (callbacks === undefined) return this.#reclaimTaken;
    this.#onTaken = undefined;
    return () => {
      for (const callback of callbacks) this.#settle(callback);
      this.#reclaim();
    };
  }

  /** Slabs are others' once the system has taken all that was flushed: until then it reads them. */
  #reclaim(): void {
    if (this.backlogBytes > 0) return;
    for (const slab of this.#flushed) giveBack(slab);
    this.#flushed = NO_SLABS;
    if (this.#slab === undefined || this.#waitingBytes > 0) return;
    giveBack(this.#slab);
    this.#slab = undefined;
    this.#start = 0;
    this.#end = 0;
  }

  /** What is in the slab so far becomes a piece. */
  #cut(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#slab!.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #seal(): void {
    this.#cut();
    this.#full = [...this.#full, this.#slab!];
    this.#slab = undefined;
    this.#start = 0;
    this.#end = 0;
  }
}

function giveBack(slab: Buffer): void {
  if (spare.length < MOST_SPARE) spare.push(slab);
}

/** RFC 9113, 4.1. */
export function writeFrameHead(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = streamId >>> 24;
  into[at + 6] = streamId >>> 16;
  into[at + 7] = streamId >>> 8;
  into[at + 8] = streamId;
}
