import type { Socket } from 'node:net';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { createRequestMemory } from '../../../base/oip/request-memory.ts';
import { createResponseMemory } from '../../../base/oip/response-memory.ts';
import type { RequestOutcome } from '../../../base/telemetry/request-instruments.ts';
import type { BufferPool } from '../../../base/util/buffer-pool.ts';
import { type CancelSource, createCancelSource } from '../../../base/util/cancel.ts';
import type { Timer } from '../../../base/util/clock.ts';
import { readDirectly, readNextInto } from '../../direct-socket.ts';
import { countOutcome } from '../../tally.ts';
import { noRoom, stalled } from '../body.ts';
import { answerClientError } from '../client-error.ts';
import { compressReply } from '../compress-reply.ts';
import type { HttpDeps } from '../deps.ts';
import { discardRest } from '../discard-rest.ts';
import { failureReply } from '../failure-reply.ts';
import { errorReply, toHttpError } from '../http-error.ts';
import { answerLater, answerNow, type InferCall, type InferCodec, openCall } from '../infer-call.ts';
import type { Reply } from '../reply.ts';
import type { InferHead } from './head.ts';
import { type Arrived, createInbox } from './inbox.ts';
import { createOutgoing } from './outgoing.ts';
import { liesIn, withOwnChunks, withOwnInputs } from './own-copies.ts';
import { createPatience } from './patience.ts';
import { beginWork, openWork, type Work } from './work.ts';

/** What all connections of a reader share. */
export interface ConnectionSurroundings {
  readonly deps: HttpDeps;
  readonly pool: BufferPool;
  readonly readBuffer: Buffer;
  /** How long a client may leave the connection idle, in milliseconds. */
  readonly keepAliveMs: number;
  readonly dateLine: () => string;
  readonly isDraining: () => boolean;
  /** Gives the socket to node:http, with what was read of it and not answered. */
  readonly handOver: (socket: Socket, bytes: Uint8Array) => void;
  /** A request came. */
  readonly onRequest: () => void;
  /** A request was answered, or will not be answered here. */
  readonly onLull: () => void;
  /** The connection is closed, or was handed over. */
  readonly onGone: (connection: Connection) => void;
}

export interface Connection {
  /** Not always the one that was given: see `readDirectly`. */
  readonly socket: Socket;
  /** A request of it is being read or answered. */
  readonly isBusy: boolean;
  /** It waits for another request; one that has never had one does not count. */
  readonly isIdle: boolean;
  /** Milliseconds that it has been open for without a byte from its client; undefined: it has said something. */
  silentMs(nowNs: number): number | undefined;
  /** Ends it where the client has been waited for too long. Called now and then. */
  checkPatience(nowNs: number): void;
  /** Ends it when the client has taken what was written. */
  close(): void;
  destroy(): void;
}

/**
 * `reading` heads and bodies; `answering`: a model works; `sending`: an answer is being written, piece by piece;
 * `flushing`: the client has to take it before more is read; `ended`: nothing is read any more; `gone`: closed, or
 * somebody else's.
 */
type Phase = 'reading' | 'answering' | 'sending' | 'flushing' | 'ended' | 'gone';

/** What becomes of the connection after an answer; `discard`: it ends, but the rest of the request comes first. */
type Then = 'go on' | 'end' | 'discard';

const SOMETHING = Buffer.of(0);

/** What is read ahead of a request that is being answered; then reading waits. */
const MOST_AHEAD_BYTES = 64 * 1024;

/**
 * One connection, for as long as plain inferences come on it. They are answered one after the other; whatever
 * else comes goes to node:http together with the connection, after the answers that are due.
 */
export function openConnection(accepted: Socket, around: ConnectionSurroundings): Connection {
  const { deps, readBuffer } = around;
  const { clock, options } = deps;
  const memory = { pool: around.pool, memoryRoom: deps.memoryRoom, onRevoke };
  const inbox = createInbox<Work>({ memory, readBuffer, open, onWait });
  const patience = createPatience(clock.nowNs());
  let phase: Phase = 'reading';
  /** What the last inference on it looked like: most likely the next one does too. */
  let codec: InferCodec | undefined;
  /** Of the request whose body is still coming. */
  let stall: Timer | undefined;
  /** Of the request that is being answered, where its model takes time. */
  let cancel: CancelSource | undefined;
  /** The client says nothing more. */
  let hasEnded = false;

  // What is read of a TLS socket is not what came in.
  const isPlain = !('encrypted' in accepted);
  const direct = isPlain ? readDirectly(accepted, { place: inbox.place, onRead }) : undefined;
  const socket = direct ?? accepted;
  const outgoing = createOutgoing(socket);

  function onRead(size: number, into: Uint8Array): void {
    // Whoever listens now does not know of `place`; where nothing is read any more it is enough that something came.
    if (phase === 'ended' || phase === 'gone') {
      socket.push(phase === 'ended' ? SOMETHING : Buffer.from(into.subarray(0, size)));
      return;
    }
    inbox.put(size, into);
    onBytes();
    inbox.keepHeld();
  }

  function onData(chunk: Buffer): void {
    if (phase === 'ended') return;
    inbox.push(chunk);
    onBytes();
  }

  function onBytes(): void {
    if (phase === 'reading') readOn();
    else if (inbox.held !== undefined && inbox.held.length >= MOST_AHEAD_BYTES) socket.pause();
  }

  /** Reads requests until there is none left, or one is to be waited for. */
  function readOn(): void {
    if (socket.isPaused()) socket.resume();
    try {
      while (phase === 'reading' && readRequest()) {}
      outgoing.flush();
      if (hasEnded && phase === 'reading') endEarly();
    } catch (fault) {
      giveUp(fault);
    }
  }

  /** @returns false: there is none that is whole */
  function readRequest(): boolean {
    const hadHalfHead = inbox.hasHalfHead;
    const arrived = around.isDraining() && inbox.held !== undefined ? 'foreign' : inbox.take();
    if (arrived === 'foreign') leave(inbox.held!);
    else if (arrived === 'no room') failArriving(refusalOf(inbox.arriving!, inbox.refusal), 'discard');
    else if (arrived === 'more') {
      // Patience begins with the first byte of a head, and no further byte prolongs it.
      if (inbox.hasHalfHead && !hadHalfHead) patience.renew();
      return false;
    } else answer(arrived);
    return true;
  }

  function open(head: InferHead): Work | undefined {
    const work = openWork(deps, head);
    if (work === undefined) return undefined;
    patience.renew();
    around.onRequest();
    return work;
  }

  function onWait(work: Work): void {
    beginWork(deps, work);
    const { receiveTimeoutMs } = options;
    stall = clock.setTimer(() => failArriving(stalled(receiveTimeoutMs), 'end'), receiveTimeoutMs);
  }

  /** Called while another connection reads, which is not to suffer from what goes wrong here. */
  function onRevoke(error: NimifyError): void {
    try {
      failArriving(error, 'discard');
    } catch (fault) {
      giveUp(fault);
    }
  }

  /** Where the next request begins is not known: the connection ends. */
  function failArriving(error: NimifyError, then: Then): void {
    const work = inbox.arriving;
    if (work === undefined) return;
    breakOff();
    send(work, failureReply(deps, work.tally, error), error.code, then);
  }

  /** Gives back the memory of the body that was coming. */
  function breakOff(): void {
    stall?.cancel();
    if (direct !== undefined) readNextInto(direct, readBuffer);
    inbox.breakOff();
  }

  function answer({ work, body, together, isWhole }: Arrived<Work>): void {
    stall?.cancel();
    if (together !== undefined) outgoing.gather();
    let call: InferCall;
    let reply: Reply | undefined;
    try {
      if (isWhole) deps.memoryRoom.checkShort();
      codec ??= createRememberingCodec();
      call = openCall(deps, work.head, work.target, work.tally, body, codec);
      reply = answerNow(deps, call);
    } catch (thrown) {
      const error = toHttpError(thrown);
      send(work, failureReply(deps, work.tally, error), error.code);
      return;
    }
    if (reply !== undefined) finish(work, withOwnChunks(reply, readBuffer));
    else if (together === undefined) {
      answerInTime(work, liesIn(body.bytes, readBuffer) ? withOwnInputs(call, readBuffer) : call);
    } else {
      // node:http works on several at once.
      body.owner.release();
      leave(together);
    }
  }

  function finish(work: Work, reply: Reply): void {
    const finished = compressReply(work.head, reply, deps.memoryRoom);
    if (finished instanceof Promise) void finishLater(work, finished);
    else send(work, finished, 'OK');
  }

  function answerInTime(work: Work, call: InferCall): void {
    cancel = createCancelSource();
    const later = answerLater(deps, call, cancel);
    const finished = later.then((reply) => compressReply(work.head, reply, deps.memoryRoom));
    void finishLater(work, finished);
  }

  /** Never rejects. */
  async function finishLater(work: Work, pending: Promise<Reply>): Promise<void> {
    beginWork(deps, work);
    phase = 'answering';
    let reply: Reply;
    let code: RequestOutcome['code'] = 'OK';
    try {
      reply = await pending;
    } catch (thrown) {
      const error = toHttpError(thrown);
      code = error.code;
      const { requestId } = work.tally;
      reply = socket.destroyed ? errorReply(error, requestId) : failureReply(deps, work.tally, error);
    }
    cancel = undefined;
    try {
      send(work, reply, code);
    } catch (fault) {
      giveUp(fault);
    }
    readOn();
  }

  function send(work: Work, reply: Reply, code: RequestOutcome['code'], then: Then = 'go on'): void {
    beginWork(deps, work);
    if (!socket.writable) {
      reply.release?.();
      countOutcome(deps, work.tally, 'CANCELLED');
      socket.destroy();
      return;
    }
    const isOver = then === 'go on' && inbox.held === undefined && around.isDraining();
    const next = isOver ? 'end' : then;
    phase = 'sending';
    const { requestId } = work.tally;
    const { keepAliveMs } = around;
    const form = { requestId, isLast: next !== 'go on', dateLine: around.dateLine(), keepAliveMs };
    const isHanded = outgoing.write(reply, form, () => {
      onHanded(next);
      readOn();
    });
    countOutcome(deps, work.tally, code);
    if (isHanded) onHanded(next);
  }

  /** All of an answer has been handed to the socket. */
  function onHanded(next: Then): void {
    if (phase !== 'sending') return;
    if (next === 'go on') phase = socket.writableNeedDrain ? 'flushing' : 'reading';
    else {
      phase = 'ended';
      outgoing.flush();
      if (next === 'end') socket.destroySoon();
      else discardRest(socket, { clock, receiveTimeoutMs: options.receiveTimeoutMs }, close);
    }
    around.onLull();
  }

  function onDrain(): void {
    if (phase !== 'flushing') return;
    phase = 'reading';
    readOn();
  }

  function onEnd(): void {
    hasEnded = true;
    if (phase === 'reading') endEarly();
    // As node:http: who leaves, and does not only stop talking, cannot be told from one that does.
    else if (phase === 'answering') socket.end();
  }

  /** The client says no more. What it began to say is refused. */
  function endEarly(): void {
    const isWithin = inbox.arriving !== undefined || inbox.held !== undefined;
    cancelArriving();
    if (isWithin) refuse('HPE_INVALID_EOF_STATE');
    else {
      phase = 'ended';
      socket.end();
    }
  }

  function cancelArriving(): void {
    const work = inbox.arriving;
    if (work === undefined) return;
    breakOff();
    countOutcome(deps, work.tally, 'CANCELLED');
  }

  /** Ends the connection with an answer to what is no request. */
  function refuse(code: string): void {
    phase = 'ended';
    answerClientError({ code }, socket, undefined);
  }

  /** A fault of ours costs one connection, never the process. */
  function giveUp(err: unknown): void {
    deps.log.error({ err }, 'a connection was given up');
    socket.destroy();
  }

  function leave(bytes: Buffer): void {
    outgoing.flush();
    phase = 'gone';
    socket
      .off('data', onData)
      .off('end', onEnd)
      .off('drain', onDrain)
      .off('error', onError)
      .off('close', onClose)
      .once('close', outgoing.settle);
    around.onGone(connection);
    if (!hasEnded) around.handOver(socket, liesIn(bytes, readBuffer) ? Buffer.from(bytes) : bytes);
    // It would wait for an end that has been already.
    else socket.on('error', onError).end();
  }

  function onError(): void {
    // 'close' follows, and says all there is to know.
  }

  function onClose(): void {
    phase = 'gone';
    cancel?.cancel('client-left');
    cancelArriving();
    inbox.close();
    outgoing.settle();
    around.onGone(connection);
  }

  function close(): void {
    socket.destroySoon();
  }

  const connection: Connection = {
    socket,
    get isBusy() {
      const isAnswering = phase === 'answering' || phase === 'sending' || phase === 'flushing';
      return isAnswering || inbox.arriving !== undefined;
    },
    get isIdle() {
      const isWaiting = inbox.arriving === undefined && inbox.held === undefined;
      return phase === 'reading' && isWaiting && !patience.isFresh;
    },
    silentMs(nowNs) {
      const hasSpoken = !patience.isFresh || inbox.arriving !== undefined || inbox.held !== undefined;
      return hasSpoken || phase !== 'reading' ? undefined : patience.waitedMs(nowNs);
    },
    checkPatience(nowNs) {
      const waitedMs = patience.waitedMs(nowNs);
      if (phase !== 'reading' || inbox.arriving !== undefined || waitedMs === 0) return;
      // What the last request was like is kept while others like it follow at once.
      inbox.forget();
      codec = undefined;
      if (waitedMs >= around.keepAliveMs) socket.destroy();
      else if (!this.isIdle && waitedMs >= options.receiveTimeoutMs) refuse('ERR_HTTP_REQUEST_TIMEOUT');
    },
    close,
    destroy: () => void socket.destroy(),
  };

  socket.on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
  if (direct === undefined) socket.on('data', onData);
  // 'end' is told only where the stream flows.
  else socket.resume();
  return connection;
}

/** Why the body that was coming is not taken. */
function refusalOf({ head }: Work, refusal: unknown): NimifyError {
  return refusal instanceof NimifyError ? refusal : noRoom(head.bodyBytes, refusal);
}

function createRememberingCodec(): InferCodec {
  return { decode: createRequestMemory().decode, encode: createResponseMemory().encode };
}
