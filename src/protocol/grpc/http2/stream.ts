import { HeldContent } from './held-content.ts';
import { OK_TRAILERS, type OutgoingHeaders } from './hpack-encoder.ts';
import type { Headers } from './request-headers.ts';

/** What sending takes for a stream. */
export interface StreamSender {
  /** @param headers undefined: those of every answer that succeeds */
  sendHead(stream: ServerStream, headers: OutgoingHeaders | undefined, isEnd: boolean): void;
  sendContent(stream: ServerStream, chunks: readonly Uint8Array[], onSent: (() => void) | undefined): void;
  /** Sends the stream's trailers when its content has been sent. */
  endWhenSent(stream: ServerStream): void;
}

/** What a stream may ask of its connection. */
export interface StreamHost extends StreamSender {
  /** The stream's content was taken: the client may send as much again. */
  giveBackWindow(stream: ServerStream): void;
  /** Both sides have ended the stream, or it was reset. */
  forget(stream: ServerStream): void;
  reset(stream: ServerStream, code: number): void;
  /** Calls back when the system has taken what has been sent so far, or nobody will. */
  whenTaken(callback: () => void): void;
}

/**
 * One request and its answer (RFC 9113, 5.1). A class with few listeners, of which there is at most one each: there is
 * a stream for each request.
 */
export class ServerStream {
  readonly id: number;
  readonly host: StreamHost;
  readonly headers: Headers;
  /** The client has ended its half. */
  isRemoteEnded = false;
  /** Nothing more is sent or received. */
  isClosed = false;
  /** An answer's head is on its way. */
  hasHead = false;
  /** Called once, when the stream is closed by whomever. */
  onClose: (() => void) | undefined;
  /** Called whenever some of what waits to be sent has been. */
  onProgress: (() => void) | undefined;

  /** Bytes that the client lets us send; the sender's. */
  sendWindow: number;
  /** What waits for that, and is sent before `trailers`; the sender's. */
  queue: Uint8Array[] = NOTHING;
  queuedBytes = 0;
  /** With what the stream is to end; undefined: it is not to. */
  trailers: OutgoingHeaders | undefined;
  /** Called when the system has taken all that was queued; the sender's. */
  onSent: (() => void) | undefined;
  /** It stands in the sender's line. */
  isInLine = false;

  /** Bytes that the client may still send; the session's. */
  receiveWindow: number;
  /** Bytes that came and of which the client does not know yet that they were taken; the session's. */
  unreturnedBytes = 0;
  /** Of the announced content what has not come; undefined: none was announced. */
  expectedBytes: number | undefined;

  #isPaused = false;
  #onData: ((piece: Uint8Array) => void) | undefined;
  #onEnd: (() => void) | undefined;
  /** What came before anybody listened, or in a pause. */
  #held: HeldContent | undefined;

  constructor(id: number, host: StreamHost, headers: Headers, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.host = host;
    this.headers = headers;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.onClose = undefined;
    this.onProgress = undefined;
    this.trailers = undefined;
    this.onSent = undefined;
    this.expectedBytes = undefined;
  }

  /** Does nobody take what comes now? The client may then send no more than it was already allowed to. */
  get isHeld(): boolean {
    return this.#isPaused || this.#onData === undefined;
  }

  /**
   * From now on what comes is passed on; what has come already at once.
   * @param onData the piece is valid until it returns
   * @param onEnd called once, when all of it has been passed on
   */
  listen(onData: (piece: Uint8Array) => void, onEnd: () => void): void {
    if (this.isClosed) return;
    this.#onData = onData;
    this.#onEnd = onEnd;
    this.#passOn();
  }

  /** What comes is kept until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#passOn();
  }

  #passOn(): void {
    const held = this.#held;
    while (held !== undefined && !held.isEmpty && !this.isHeld) this.#onData?.(held.take());
    if (this.isHeld) return;
    this.#held = undefined;
    this.host.giveBackWindow(this);
    if (this.isRemoteEnded) this.#tellEnd();
  }

  #tellEnd(): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.();
  }

  /** Sends an answer's head; without fields that of every answer that succeeds. */
  respond(headers?: OutgoingHeaders): void {
    if (this.isClosed || this.hasHead) return;
    this.hasHead = true;
    this.host.sendHead(this, headers, false);
  }

  /** Sends an answer that is a head alone. */
  respondOnly(headers: OutgoingHeaders): void {
    if (this.isClosed || this.hasHead) return;
    this.hasHead = true;
    this.host.sendHead(this, headers, true);
  }

  /**
   * Sends content, as the client takes it. The chunks must stay as they are until `onSent`.
   * @param onSent called once, when the system has taken all of it or nobody will
   */
  write(chunks: readonly Uint8Array[], onSent?: () => void): void {
    if (this.isClosed) onSent?.();
    else this.host.sendContent(this, chunks, onSent);
  }

  /** Ends the stream with trailers, when all content has been sent. */
  end(trailers: OutgoingHeaders = OK_TRAILERS): void {
    if (this.isClosed || this.trailers !== undefined) return;
    this.trailers = trailers;
    this.host.endWhenSent(this);
  }

  /** Ends the stream at once, in both directions. @param code one of ERROR */
  reset(code: number): void {
    if (!this.isClosed) this.host.reset(this, code);
  }

  /** For the session: content came. @returns whether somebody took it */
  receive(piece: Uint8Array): boolean {
    if (!this.isHeld) {
      this.#onData?.(piece);
      return true;
    }
    this.#held ??= new HeldContent();
    this.#held.add(piece);
    return false;
  }

  /** For the session: the client has ended its half. */
  receiveEnd(): void {
    this.isRemoteEnded = true;
    if (!this.isHeld) this.#tellEnd();
  }

  /** For the session: it is over. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { onClose, onSent } = this;
    // Whoever holds the stream does not hold what it was about.
    this.onClose = undefined;
    this.onProgress = undefined;
    this.onSent = undefined;
    this.queue = NOTHING;
    this.queuedBytes = 0;
    this.#onData = undefined;
    this.#onEnd = undefined;
    this.#held = undefined;
    // Parts of it may be on their way still.
    if (onSent !== undefined) this.host.whenTaken(onSent);
    onClose?.();
  }
}

const NOTHING: Uint8Array[] = [];
