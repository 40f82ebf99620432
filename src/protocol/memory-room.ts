import type { Logger } from '../base/telemetry/log.ts';
import type { MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { Clock, Timer } from '../base/util/clock.ts';
import { collectGarbage } from '../base/util/collect-garbage.ts';
import { createAnswerSizes } from './memory-answers.ts';
import { type AppetiteSight, createAppetite, LEAST_BYTES_A_BYTE } from './memory-appetite.ts';
import {
  type ClaimOptions,
  createMemoryClaims,
  type MemoryClaim,
  SMALLEST_CLAIM_BYTES,
} from './memory-claims.ts';
import { createMemoryGauge, type MemoryGauge } from './memory-gauge.ts';
import { createHoldTime } from './memory-hold-time.ts';
import { createMemoryInstruments } from './memory-instruments.ts';
import { createMemoryRefusals, neverRoom, noRoom, noRoomForAnswer, type Where } from './memory-refusals.ts';
import { createMemoryTidying } from './memory-tidying.ts';

export interface MemoryRoomOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: counts nowhere. */
  readonly metrics?: MetricsRegistry;
  /** What this process may hold in all, in bytes. Undefined: nothing is refused. */
  readonly ceilingBytes: number | undefined;
  /** Default: of this process. */
  readonly gauge?: MemoryGauge;
  /** Default: V8's. */
  readonly collect?: () => void;
  /** Gives back to the system what the C library keeps. Default: it is left to the C library. */
  readonly trim?: () => void;
}

/**
 * The room for what requests hold, which all ports share. What is to come is reckoned with before it comes, so
 * that no burst goes beyond the ceiling between two measurements; who finds no room is refused before memory is
 * taken for it. Bodies are refused first; requests so short that they take no memory of their own only above the ceiling
 * itself, or where the answer that their model is expected to make would go above it.
 */
export interface MemoryRoom {
  /**
   * Room for a body of which so many bytes are to come. To be called when its first byte is there: an
   * announcement alone takes nothing.
   * @throws NimifyError OVERLOADED; PAYLOAD_TOO_LARGE where there never will be room for it
   */
  claim(sizeBytes: number, options?: ClaimOptions): MemoryClaim;
  /** As `claim`, and takes nothing: for who can refuse before the first byte is sent. */
  check(sizeBytes: number, where?: Where): void;
  /** Counts what is there and stays. */
  hold(sizeBytes: number): MemoryClaim;
  /**
   * As `hold`, for an answer that the model just made; undefined: it is too short to be counted.
   * @throws NimifyError OVERLOADED: the process holds more than it may, and the answer is to be let go
   */
  holdAnswer(sizeBytes: number, model: string): MemoryClaim | undefined;
  /**
   * To be called before a model is asked.
   * @param bodyBytes of the request: with a large body, its answer was reckoned with
   * @throws NimifyError OVERLOADED: there is no room for the answer that the model is expected to make
   */
  checkAnswer(model: string, bodyBytes: number): void;
  /** Room for that answer while it is waited for; undefined: it is expected to be short. */
  expectAnswer(model: string, bodyBytes: number): MemoryClaim | undefined;
  /** @throws NimifyError OVERLOADED where not even short requests are taken */
  checkShort(where?: Where): void;
  /** Less is to be kept for later than usual. */
  readonly isShort: boolean;
  /** Not even short requests have been taken for a good while. */
  readonly isStuck: boolean;
  /** @param letGo called when there is no room: gives back what is kept for later */
  onShort(letGo: () => void): void;
  /** Measures anew, and says what there is. To be called when models have been loaded. */
  survey(): MemorySurvey;
  /** From now on the process may hold so much. */
  raise(ceilingBytes: number): void;
  /** Stops looking. */
  stop(): void;
}

export interface MemorySurvey {
  /** What the process may hold, in bytes; undefined: any. */
  readonly ceilingBytes: number | undefined;
  readonly usedBytes: number;
  /** The least ceiling under which there is room for a body of so many bytes now. */
  ceilingFor(bytes: number): number;
}

/** Up to here there is room for bodies; what is left of the ceiling is for answers and what models take. */
const BODY_SHARE = 0.9;

/** A process that holds less than this share of what it may has memory enough. */
const AMPLE_SHARE = 0.5;

const LOOK_MS = 100;
const IDLE_LOOK_MS = 1000;
const STUCK_AFTER_NS = 10e9;

export function createMemoryRoom({
  clock,
  log,
  metrics,
  ceilingBytes,
  gauge = createMemoryGauge(),
  collect = collectGarbage,
  trim = NOTHING,
}: MemoryRoomOptions): MemoryRoom {
  let ceiling = ceilingBytes ?? Number.POSITIVE_INFINITY;
  let bodyMark = ceiling * BODY_SHARE;
  const holdTime = createHoldTime();
  const appetite = createAppetite(gauge.usedBytes);
  const answerSizes = createAnswerSizes(SMALLEST_CLAIM_BYTES);
  /** How many answers are held. */
  let answers = 0;
  /** What loading and warming up left has not been collected. */
  let isUntidy = false;
  let fullSinceNs: number | undefined;
  let timer: Timer | undefined;

  const claims = createMemoryClaims({
    clock,
    promise(bytes, where) {
      check(bytes, where);
      return bytes * appetite.bytesAByte;
    },
    onGrew: gauge.grew,
    refuse: (error) => refuse('slow', error),
    onTurn(isAtRest) {
      if (isAtRest) onRest();
      else if (ceilingBytes !== undefined) lookOn();
    },
  });
  const tidying = createMemoryTidying({
    ...{ clock, gauge, collect, trim },
    isAtRest: () => claims.isAtRest,
    mostBytes: () => claims.mostBytes,
    onTidy: learn,
  });
  const instruments = createMemoryInstruments(metrics, {
    ceilingBytes: () => ceiling,
    heldBytes: () => claims.liveBytes,
  });
  const { refuse } = createMemoryRefusals({ clock, log }, instruments, () => ({
    ...{ ceilingBytes: ceiling, usedBytes: gauge.usedBytes, heldBytes: claims.liveBytes },
  }));

  /** Without what can be used again: what is live has used up as much of that. */
  function takenBytes(): number {
    return gauge.usedBytes - Math.max(0, gauge.spareBytes - claims.liveBytes);
  }

  function room(): number {
    return bodyMark - takenBytes() - claims.promisedBytes;
  }

  /** Beyond what was promised with the body. */
  function expectedBytes(model: string, bodyBytes: number): number {
    return Math.max(0, answerSizes.expectedBytes(model) - bodyBytes * (appetite.bytesAByte - 1));
  }

  function hasRoomFor(answerBytes: number): boolean {
    return takenBytes() + claims.promisedBytes + answerBytes <= ceiling;
  }

  function sight(): AppetiteSight {
    const { usedBytes, floorBytes } = gauge;
    return { usedBytes, bodyBytes: claims.bodyBytes, roomBytes: bodyMark - floorBytes };
  }

  /** Only what is in use is resident now: garbage would be taken for what bodies need. */
  function learn(): void {
    if (claims.isAtRest) appetite.atRest(gauge.usedBytes - gauge.spareBytes);
    else appetite.look(sight());
  }

  /** The last of those who held something has gone: time to see how much of what they left can be used again. */
  function onRest(): void {
    const { usedBytes, spareBytes, floorBytes } = gauge;
    if (usedBytes - spareBytes > (bodyMark + floorBytes) / 2) tidying.tidyUp();
  }

  function check(sizeBytes: number, where: Where = 'body'): void {
    const neededBytes = sizeBytes * appetite.bytesAByte;
    if (neededBytes <= room()) return;
    tidying.makeRoom();
    if (sizeBytes * appetite.bytesAByte <= room()) return;
    if (sizeBytes * LEAST_BYTES_A_BYTE > bodyMark - gauge.floorBytes) {
      const mostBytes = Math.max(0, Math.floor((bodyMark - gauge.floorBytes) / LEAST_BYTES_A_BYTE));
      throw refuse('never', neverRoom(sizeBytes, mostBytes, where));
    }
    // Somebody must get on, whatever was learned.
    if (claims.isAtRest && gauge.usedBytes <= ceiling) return;
    claims.revokeSlow(sizeBytes * appetite.bytesAByte - room(), holdTime.ms);
    if (sizeBytes * appetite.bytesAByte <= room()) return;
    throw refuse('body', noRoom(`${sizeBytes} bytes`, where, holdTime.ms));
  }

  function look(): void {
    gauge.measure();
    const { usedBytes, floorBytes } = gauge;
    if (claims.isAtRest) {
      if (isUntidy) isUntidy = !tidying.tidyUp();
      else if (usedBytes > bodyMark) tidying.makeRoom();
    } else if (usedBytes > (bodyMark + floorBytes) / 2 && appetite.isExceeded(sight())) {
      tidying.tidyUp();
    }
    if (takenBytes() <= ceiling) fullSinceNs = undefined;
    else fullSinceNs ??= clock.nowNs();
    lookOn();
  }

  function lookOn(): void {
    timer?.cancel();
    const isBusy = !claims.isAtRest || gauge.usedBytes > bodyMark;
    timer = clock.setTimer(look, isBusy ? LOOK_MS : IDLE_LOOK_MS);
  }

  if (ceilingBytes !== undefined) lookOn();
  return {
    claim(sizeBytes, options) {
      check(sizeBytes, options?.where);
      const promisedBytes = sizeBytes * appetite.bytesAByte;
      return claims.open(
        { bodyBytes: sizeBytes, liveBytes: 0, promisedBytes, onRelease: holdTime.released },
        options,
      );
    },
    check,
    hold: (sizeBytes) => claims.open({ bodyBytes: 0, liveBytes: sizeBytes, promisedBytes: 0 }),
    holdAnswer(sizeBytes, model) {
      if (sizeBytes < SMALLEST_CLAIM_BYTES) {
        if (answerSizes.mostBytes > 0) answerSizes.made(model, sizeBytes);
        return undefined;
      }
      answerSizes.made(model, sizeBytes);
      if (gauge.usedBytes + sizeBytes > ceiling) {
        tidying.makeRoom();
        // Of several one is to get out.
        if (gauge.usedBytes > ceiling && answers > 0) {
          tidying.wasted(sizeBytes);
          throw refuse('answer', noRoomForAnswer(sizeBytes, holdTime.ms));
        }
      }
      answers += 1;
      return claims.open({
        ...{ bodyBytes: 0, liveBytes: sizeBytes, promisedBytes: 0 },
        onRelease(heldNs) {
          answers -= 1;
          holdTime.released(heldNs);
          tidying.wasted(sizeBytes);
        },
      });
    },
    checkAnswer(model, bodyBytes) {
      if (takenBytes() + claims.promisedBytes + answerSizes.mostBytes <= ceiling) return;
      const bytes = expectedBytes(model, bodyBytes);
      if (bytes === 0 || hasRoomFor(bytes)) return;
      tidying.makeRoom();
      if (hasRoomFor(bytes) || claims.isAtRest) return;
      answerSizes.refused(model);
      throw refuse('answer', noRoomForAnswer(Math.ceil(bytes), holdTime.ms));
    },
    expectAnswer(model, bodyBytes) {
      const promisedBytes = expectedBytes(model, bodyBytes);
      return promisedBytes === 0 ? undefined : claims.open({ bodyBytes: 0, liveBytes: 0, promisedBytes });
    },
    checkShort(where = 'body') {
      if (takenBytes() <= ceiling) return;
      tidying.makeRoom();
      if (takenBytes() > ceiling) throw refuse('ceiling', noRoom('content', where, holdTime.ms));
    },
    get isShort() {
      return gauge.usedBytes > bodyMark;
    },
    get isStuck() {
      return fullSinceNs !== undefined && clock.nowNs() - fullSinceNs >= STUCK_AFTER_NS;
    },
    onShort: tidying.onShort,
    survey() {
      gauge.measure();
      // What is garbage among it does not matter where there is plenty: to collect it would hold up a start.
      if (gauge.usedBytes > bodyMark * AMPLE_SHARE) tidying.makeRoom();
      else isUntidy = true;
      gauge.startAnew();
      claims.forgetMost();
      const { usedBytes } = gauge;
      return {
        ceilingBytes: Number.isFinite(ceiling) ? ceiling : undefined,
        usedBytes,
        ceilingFor: (bytes) => Math.ceil((usedBytes + bytes * LEAST_BYTES_A_BYTE) / BODY_SHARE),
      };
    },
    raise(bytes) {
      ceiling = bytes;
      bodyMark = ceiling * BODY_SHARE;
    },
    stop: () => timer?.cancel(),
  };
}

function NOTHING(): void {}
