import type { Socket } from 'node:net';
import type { NimifyError } from '../../../base/errors/nimify-error.ts';
import { createRequestMemory } from '../../../base/oip/request-memory.ts';
import { createResponseMemory } from '../../../base/oip/response-memory.ts';
import type { RequestOutcome } from '../../../base/telemetry/request-instruments.ts';
import { createOwner } from '../../../base/tensor/owner.ts';
import { type CancelSource, createCancelSource } from '../../../base/util/cancel.ts';
import type { Timer } from '../../../base/util/clock.ts';
import { noRoom, stalled } from '../body.ts';
import type { BodyPool } from '../body-pool.ts';
import { answerClientError } from '../client-error.ts';
import type { HttpDeps } from '../deps.ts';
import { errorReply, toHttpError } from '../http-error.ts';
import {
  answerLater,
  answerNow,
  type InferCall,
  type InferCodec,
  type InferTarget,
  type OwnedBody,
  openCall,
} from '../infer-call.ts';
import { compressReply, discardRest, type Reply } from '../reply.ts';
import { requestIdOf } from '../request-context.ts';
import { countOutcome, createTally, failureReply, nameModel, type Tally } from '../tally.ts';
import { type InferHead, type KnownHead, takeHead } from './head.ts';
import { createIncomingBody, type IncomingBody } from './incoming-body.ts';
import { writeReply } from './write-reply.ts';

/** What all connections of a reader share. */
export interface ConnectionSurroundings {
  readonly deps: HttpDeps;
  readonly pool: BodyPool;
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
  /** A request of it is being read or answered. */
  readonly isBusy: boolean;
  /** It waits for another request; one that has never had one does not count. */
  readonly isIdle: boolean;
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

/** A request that is being read or answered. */
interface Work {
  readonly head: InferHead;
  readonly target: InferTarget;
  readonly tally: Tally;
  /** It has been counted as begun. */
  isBegun: boolean;
}

/** A request whose body is still coming. */
interface Arriving {
  readonly work: Work;
  readonly body: IncomingBody;
  readonly timer: Timer;
}

/** What is read ahead of a request that is being answered; then reading waits. */
const MOST_AHEAD_BYTES = 64 * 1024;

/**
 * One connection, for as long as plain inferences come on it. They are answered one after the other; whatever
 * else comes goes to node:http together with the connection, after the answers that are due.
 */
export function openConnection(socket: Socket, around: ConnectionSurroundings): Connection {
  const { deps } = around;
  const { clock, options } = deps;
  let phase: Phase = 'reading';
  /** Came and was not worked on yet. */
  let held: Buffer | undefined;
  let arriving: Arriving | undefined;
  let known: KnownHead | undefined;
  /** What the last inference on it looked like: most likely the next one does too. */
  let codec: InferCodec | undefined;
  /** Of the request that is being answered, where its model takes time. */
  let cancel: CancelSource | undefined;
  /** The beginning of a head is held. */
  let hasHalf = false;
  /** The client says nothing more. */
  let hasEnded = false;
  let isCorked = false;
  /** Gives back the buffers of answers that the system has not taken yet. */
  const unsettled = new Set<() => void>();
  /** Grows with whatever lets the client's patience start anew. */
  let steps = 0;
  let seenSteps = 0;
  let sinceNs = clock.nowNs();

  function onData(chunk: Buffer): void {
    if (phase === 'ended') return;
    const rest = arriving === undefined ? chunk : pushBody(arriving, chunk);
    if (rest !== undefined) held = held === undefined ? rest : Buffer.concat([held, rest]);
    if (phase === 'reading') readOn();
    else if (held !== undefined && held.length >= MOST_AHEAD_BYTES) socket.pause();
  }

  /** Reads requests until there is none left, or one is to be waited for. */
  function readOn(): void {
    if (socket.isPaused()) socket.resume();
    while (phase === 'reading') {
      if (arriving?.body.isWhole) answerArrived(arriving);
      else if (arriving !== undefined || held === undefined || !readRequest(held)) break;
    }
    uncork();
    if (hasEnded && phase === 'reading') endEarly();
  }

  /** @returns false: it is not all there */
  function readRequest(bytes: Buffer): boolean {
    const taken = around.isDraining() ? undefined : takeHead(bytes, known);
    if (taken === 'more') {
      // Patience begins with the first byte, and no further byte prolongs it.
      if (!hasHalf) steps += 1;
      hasHalf = true;
      return false;
    }
    hasHalf = false;
    const target = taken === undefined ? undefined : findTarget(taken.head);
    if (taken === undefined || target === undefined) return leave(bytes);
    known = taken;
    steps += 1;
    around.onRequest();
    const { head } = taken;
    const tally = createTally(deps, head.route, requestIdOf(head));
    nameModel(tally, target.served);
    const work = { head, target, tally, isBegun: false };
    const bodyAt = taken.bytes.length;
    if (bytes.length < bodyAt + head.bodyBytes) expectBody(work, bytes.subarray(bodyAt));
    else answerHeld(work, bytes, bodyAt);
    return true;
  }

  /** Undefined where node:http's side refuses the request before it reads the body. */
  function findTarget({ name, version, headerLength, bodyBytes }: InferHead): InferTarget | undefined {
    if (bodyBytes > options.maxBodyBytes) return undefined;
    try {
      return { name, version, headerLength, served: deps.registry.find(name, version) };
    } catch {
      return undefined;
    }
  }

  /** The whole request came in one piece: its body is a view. */
  function answerHeld(work: Work, bytes: Buffer, bodyAt: number): void {
    const { bodyBytes } = work.head;
    const isAlone = bytes.length === bodyAt + bodyBytes;
    held = isAlone ? undefined : bytes.subarray(bodyAt + bodyBytes);
    const owner = createOwner();
    if (!isAlone) {
      // Nobody may transfer a buffer in which the next request lies as well.
      owner.retain();
      cork();
    }
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + bodyAt, bodyBytes);
    answer(work, { bytes: view, owner }, isAlone ? undefined : bytes);
  }

  function expectBody(work: Work, start: Buffer): void {
    begin(work);
    held = undefined;
    const body = createIncomingBody(work.head.bodyBytes, work.head.headerLength ?? 0, around.pool);
    const { receiveTimeoutMs } = options;
    const timer = clock.setTimer(() => failArriving(stalled(receiveTimeoutMs), 'end'), receiveTimeoutMs);
    arriving = { work, body, timer };
    if (start.length > 0) pushBody(arriving, start);
  }

  /** @returns what belongs to the next request */
  function pushBody({ work, body }: Arriving, chunk: Buffer): Buffer | undefined {
    try {
      const taken = body.push(chunk);
      return taken === chunk.length ? undefined : chunk.subarray(taken);
    } catch (thrown) {
      failArriving(noRoom(work.head.bodyBytes, thrown), 'discard');
      return undefined;
    }
  }

  function answerArrived({ work, body, timer }: Arriving): void {
    arriving = undefined;
    timer.cancel();
    answer(work, body.take(), undefined);
  }

  /** Where the next request begins is not known: the connection ends. */
  function failArriving(error: NimifyError, then: Then): void {
    if (arriving === undefined) return;
    const { work, body, timer } = arriving;
    arriving = undefined;
    timer.cancel();
    body.drop();
    send(work, failureReply(deps, work.tally, error), error.code, then);
  }

  /**
   * @param others the request with those that came behind it. Where it takes time, all of them are left to
   *   node:http, which works on several at once.
   */
  function answer(work: Work, body: OwnedBody, others: Buffer | undefined): void {
    let call: InferCall;
    let reply: Reply | undefined;
    try {
      codec ??= createRememberingCodec();
      call = openCall(deps, work.head, work.target, work.tally, body, codec);
      reply = answerNow(deps, call);
    } catch (thrown) {
      const error = toHttpError(thrown);
      send(work, failureReply(deps, work.tally, error), error.code);
      return;
    }
    if (reply !== undefined) finish(work, reply);
    else if (others === undefined) {
      cancel = createCancelSource();
      const later = answerLater(deps, call, cancel);
      void finishLater(
        work,
        later.then((reply) => compressReply(work.head, reply)),
      );
    } else {
      body.owner.release();
      leave(others);
    }
  }

  function finish(work: Work, reply: Reply): void {
    const finished = compressReply(work.head, reply);
    if (finished instanceof Promise) void finishLater(work, finished);
    else send(work, finished, 'OK');
  }

  /** Never rejects. */
  async function finishLater(work: Work, pending: Promise<Reply>): Promise<void> {
    begin(work);
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
    send(work, reply, code);
    readOn();
  }

  function send(work: Work, reply: Reply, code: RequestOutcome['code'], then: Then = 'go on'): void {
    begin(work);
    if (!socket.writable) {
      reply.release?.();
      countOutcome(deps, work.tally, 'CANCELLED');
      socket.destroy();
      return;
    }
    const next = then === 'go on' && held === undefined && around.isDraining() ? 'end' : then;
    phase = 'sending';
    const isHanded = writeReply(
      socket,
      reply,
      {
        requestId: work.tally.requestId,
        isLast: next !== 'go on',
        dateLine: around.dateLine(),
        keepAliveMs: around.keepAliveMs,
      },
      settling(reply),
      () => {
        onHanded(next);
        readOn();
      },
    );
    countOutcome(deps, work.tally, code);
    if (isHanded) onHanded(next);
  }

  /** Called once the system has taken the answer; where that never happens, when the connection is closed. */
  function settling({ release }: Reply): () => void {
    if (release === undefined) return NOTHING;
    const settle = () => {
      if (unsettled.delete(settle)) release();
    };
    unsettled.add(settle);
    return settle;
  }

  /** All of an answer has been handed to the socket. */
  function onHanded(next: Then): void {
    if (phase !== 'sending') return;
    if (next === 'go on') phase = socket.writableNeedDrain ? 'flushing' : 'reading';
    else {
      phase = 'ended';
      uncork();
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

  function begin(work: Work): void {
    if (work.isBegun) return;
    work.isBegun = true;
    deps.instruments.begin();
  }

  function cork(): void {
    if (isCorked) return;
    isCorked = true;
    socket.cork();
  }

  function uncork(): void {
    if (!isCorked) return;
    isCorked = false;
    socket.uncork();
  }

  function onEnd(): void {
    hasEnded = true;
    if (phase === 'reading') endEarly();
    // As node:http: who leaves, and does not only stop talking, cannot be told from one that does.
    else if (phase === 'answering') socket.end();
  }

  /** The client says no more. What it began to say is refused. */
  function endEarly(): void {
    if (arriving !== undefined) {
      giveUpArriving(arriving);
      refuse('HPE_INVALID_EOF_STATE');
    } else if (held !== undefined) refuse('HPE_INVALID_EOF_STATE');
    else {
      phase = 'ended';
      socket.end();
    }
  }

  function giveUpArriving({ work, body, timer }: Arriving): void {
    arriving = undefined;
    timer.cancel();
    body.drop();
    countOutcome(deps, work.tally, 'CANCELLED');
  }

  /** Ends the connection with an answer to what is no request. */
  function refuse(code: string): void {
    phase = 'ended';
    answerClientError({ code }, socket, undefined);
  }

  /** @returns true: there is nothing more to do here */
  function leave(bytes: Buffer): true {
    uncork();
    phase = 'gone';
    socket
      .off('data', onData)
      .off('end', onEnd)
      .off('drain', onDrain)
      .off('error', onError)
      .off('close', onClose);
    around.onGone(connection);
    if (!hasEnded) around.handOver(socket, bytes);
    // It would wait for an end that has been already.
    else socket.on('error', onError).end();
    return true;
  }

  function onError(): void {
    // 'close' follows, and says all there is to know.
  }

  function onClose(): void {
    phase = 'gone';
    cancel?.cancel('client-left');
    if (arriving !== undefined) giveUpArriving(arriving);
    for (const settle of unsettled) settle();
    around.onGone(connection);
  }

  function close(): void {
    socket.destroySoon();
  }

  const connection: Connection = {
    get isBusy() {
      return arriving !== undefined || phase === 'answering' || phase === 'sending' || phase === 'flushing';
    },
    get isIdle() {
      return phase === 'reading' && arriving === undefined && held === undefined && steps > 0;
    },
    checkPatience(nowNs) {
      if (steps !== seenSteps) {
        seenSteps = steps;
        sinceNs = nowNs;
      } else if (phase === 'reading' && arriving === undefined) {
        const waitedMs = (nowNs - sinceNs) / 1e6;
        if (!this.isIdle && waitedMs >= options.receiveTimeoutMs) refuse('ERR_HTTP_REQUEST_TIMEOUT');
        // They are kept while others like them follow at once.
        known = undefined;
        codec = undefined;
        if (waitedMs >= around.keepAliveMs) socket.destroy();
      }
    },
    close,
    destroy: () => void socket.destroy(),
  };

  socket.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
  return connection;
}

function createRememberingCodec(): InferCodec {
  return { decode: createRequestMemory().decode, encode: createResponseMemory().encode };
}

function NOTHING(): void {}
