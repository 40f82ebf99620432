import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { Clock, Timer } from '../base/util/clock.ts';
import { collectGarbage } from '../base/util/collect-garbage.ts';
import { createAppetite, LEAST_BYTES_A_BYTE } from './memory-appetite.ts';
import { createMemoryGauge, type MemoryGauge } from './memory-gauge.ts';
import { createHoldTime } from './memory-hold-time.ts';
import { createMemoryInstruments, type MemoryRefusal } from './memory-instruments.ts';

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
}

/**
 * The room for what requests hold, which all ports share. What is to come is reckoned with before it comes, so
 * that no burst goes beyond the ceiling between two measurements; who finds no room is refused before memory is
 * taken for it. Bodies are refused first; requests so short that they take no memory of their own only above the ceiling
 * itself.
 */
export interface MemoryRoom {
  /**
   * Room for a body of which so many bytes are to come. To be called when its first byte is there: an
   * announcement alone takes nothing.
   * @throws NimifyError OVERLOADED; PAYLOAD_TOO_LARGE where there never will be room for it
   */
  claim(sizeBytes: number, where?: Where): MemoryClaim;
  /** As `claim`, and takes nothing: for who can refuse before the first byte is sent. */
  check(sizeBytes: number, where?: Where): void;
  /** Counts what is there and stays. */
  hold(sizeBytes: number): MemoryClaim;
  /**
   * As `hold`, for an answer that was just made.
   * @throws NimifyError OVERLOADED: the process holds more than it may, and the answer is to be let go
   */
  holdAnswer(sizeBytes: number): MemoryClaim;
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

/** What an error says that there is no room for. Default `body`. */
type Where = 'body' | 'message';

/** A part of the room. It is released once, whatever becomes of the request. */
export interface MemoryClaim {
  /** So many of the bytes have come. */
  arrived(bytes: number): void;
  /**
   * So many more are to come than were claimed.
   * @throws NimifyError as `claim`; the claim stays as it was
   */
  grow(bytes: number): void;
  release(): void;
}

/** Bodies and answers below this are not counted: they pass through memory that is there already. */
export const SMALLEST_CLAIM_BYTES = 16 * 1024;

/** Up to here there is room for bodies; what is left of the ceiling is for answers and what models take. */
const BODY_SHARE = 0.9;

/** To measure costs some 10 µs: not for each of many that are refused. */
const MEASURE_EVERY_NS = 1e6;
const LOOK_MS = 100;
const IDLE_LOOK_MS = 1000;
const COLLECT_EVERY_NS = 0.5e9;
/** The same while nothing is held, when more is learned by it. */
const COLLECT_AT_REST_EVERY_NS = 0.1e9;
/** Answers that were let go are collected sooner where they are as large as this. */
const MOST_WASTE_BYTES = 16 * 2 ** 20;
const STUCK_AFTER_NS = 10e9;
const LOG_EVERY_NS = 10e9;

interface OpenOptions {
  readonly where?: Where;
  readonly onRelease?: () => void;
}

export function createMemoryRoom({
  clock,
  log,
  metrics,
  ceilingBytes,
  gauge = createMemoryGauge(),
  collect = collectGarbage,
}: MemoryRoomOptions): MemoryRoom {
  let ceiling = ceilingBytes ?? Number.POSITIVE_INFINITY;
  let bodyMark = ceiling * BODY_SHARE;
  const holdTime = createHoldTime();
  const letGos: (() => void)[] = [];
  /** What came, is there and was claimed; and what is still to come of that, with what is made of it. */
  const appetite = createAppetite(gauge.usedBytes);
  /** Of bodies, whole. */
  let bodyBytes = 0;
  let liveBytes = 0;
  let promisedBytes = 0;
  /** How many answers are held. */
  let answers = 0;
  /** The most that both ever were together. */
  let mostBytes = 0;
  /** Of answers that were let go and not collected. */
  let wasteBytes = 0;
  let measuredAtNs = Number.NEGATIVE_INFINITY;
  let collectedAtNs = Number.NEGATIVE_INFINITY;
  let fullSinceNs: number | undefined;
  let loggedAtNs = Number.NEGATIVE_INFINITY;
  let timer: Timer | undefined;
  const instruments = createMemoryInstruments(metrics, {
    ceilingBytes: () => ceiling,
    heldBytes: () => liveBytes,
  });

  function count(live: number, promised: number): void {
    liveBytes += live;
    promisedBytes += promised;
    mostBytes = Math.max(mostBytes, liveBytes + promisedBytes);
  }

  /** Without what can be used again: what is live has used up as much of that. */
  function takenBytes(): number {
    return gauge.usedBytes - Math.max(0, gauge.spareBytes - liveBytes);
  }

  function room(): number {
    return bodyMark - takenBytes() - promisedBytes;
  }

  function isAtRest(): boolean {
    return liveBytes === 0 && promisedBytes === 0;
  }

  /** There is no room: makes some where that can be done. */
  function makeRoom(): void {
    const nowNs = clock.nowNs();
    if (nowNs - measuredAtNs < MEASURE_EVERY_NS && wasteBytes < MOST_WASTE_BYTES) return;
    measuredAtNs = nowNs;
    for (const letGo of letGos) letGo();
    if (!tidyUp()) gauge.measure();
  }

  /** @returns false: it was done a moment ago */
  function tidyUp(): boolean {
    const nowNs = clock.nowNs();
    const everyNs = isAtRest() ? COLLECT_AT_REST_EVERY_NS : COLLECT_EVERY_NS;
    if (nowNs - collectedAtNs < everyNs && wasteBytes < MOST_WASTE_BYTES) return false;
    collectedAtNs = nowNs;
    wasteBytes = 0;
    collect();
    if (isAtRest()) gauge.measureAtRest(mostBytes);
    else gauge.measure();
    return true;
  }

  /** The last of those who held something has gone: time to see how much of what they left can be used again. */
  function onRest(): void {
    const { usedBytes, spareBytes, floorBytes } = gauge;
    if (usedBytes - spareBytes > (bodyMark + floorBytes) / 2) tidyUp();
  }

  function check(sizeBytes: number, where: Where = 'body'): void {
    const neededBytes = sizeBytes * appetite.bytesAByte;
    if (neededBytes <= room()) return;
    makeRoom();
    if (neededBytes <= room()) return;
    if (sizeBytes * LEAST_BYTES_A_BYTE > bodyMark - gauge.floorBytes)
      throw refuse('never', neverRoom(sizeBytes, where));
    // Somebody must get on, whatever was learned.
    if (isAtRest() && gauge.usedBytes <= ceiling) return;
    throw refuse('body', noRoom(`${sizeBytes} bytes`, where));
  }

  function refuse(reason: MemoryRefusal, error: NimifyError): NimifyError {
    instruments.refused(reason);
    const nowNs = clock.nowNs();
    if (nowNs - loggedAtNs >= LOG_EVERY_NS) {
      loggedAtNs = nowNs;
      log.warn(
        { ceilingBytes: ceiling, usedBytes: gauge.usedBytes, heldBytes: liveBytes, reason },
        'requests are refused for want of memory; raise server.maxMemoryBytes, or send smaller or fewer requests at once',
      );
    }
    return error;
  }

  function noRoom(what: string, where: Where): NimifyError {
    const retryAfterMs = holdTime.ms;
    return new NimifyError(
      'OVERLOADED',
      `${where}: there is no memory for its ${what} beside the requests that are being answered; try again in ${retryAfterMs} ms, or send fewer rows in a request`,
      { details: { where }, retryAfterMs },
    );
  }

  function neverRoom(sizeBytes: number, where: Where): NimifyError {
    const maxBytes = Math.max(0, Math.floor((bodyMark - gauge.floorBytes) / LEAST_BYTES_A_BYTE));
    return new NimifyError(
      'PAYLOAD_TOO_LARGE',
      `${where}: expected at most ${maxBytes} bytes, which is what the memory of this server allows (server.maxMemoryBytes), got ${sizeBytes}; send fewer rows in a request`,
      { details: { where, expected: { maxBytes }, got: sizeBytes } },
    );
  }

  function noRoomForAnswer(sizeBytes: number): NimifyError {
    const retryAfterMs = holdTime.ms;
    return new NimifyError(
      'OVERLOADED',
      `answer: there is no memory for its ${sizeBytes} bytes beside those that clients have not taken yet; try again in ${retryAfterMs} ms, or ask for fewer rows or outputs in a request`,
      { details: { where: 'answer' }, retryAfterMs },
    );
  }

  function look(): void {
    gauge.measure();
    if (isAtRest()) {
      if (gauge.usedBytes > bodyMark) makeRoom();
      appetite.atRest(gauge.usedBytes - gauge.spareBytes);
    } else appetite.look(gauge.usedBytes, bodyBytes);
    if (takenBytes() <= ceiling) fullSinceNs = undefined;
    else fullSinceNs ??= clock.nowNs();
    lookOn();
  }

  function lookOn(): void {
    timer?.cancel();
    const isBusy = !isAtRest() || gauge.usedBytes > bodyMark;
    timer = clock.setTimer(look, isBusy ? LOOK_MS : IDLE_LOOK_MS);
  }

  /** @param body bytes of a body that is to come */
  function open(body: number, live: number, { where, onRelease }: OpenOptions = {}): MemoryClaim {
    let promised = body * appetite.bytesAByte;
    const wasAtRest = isAtRest();
    const sinceNs = clock.nowNs();
    let isReleased = false;
    bodyBytes += body;
    count(live, promised);
    gauge.grew(live);
    if (wasAtRest && ceilingBytes !== undefined) lookOn();
    return {
      arrived(bytes) {
        if (isReleased) return;
        live += bytes;
        promised -= bytes;
        count(bytes, -bytes);
        gauge.grew(bytes);
      },
      grow(bytes) {
        check(bytes, where);
        if (isReleased) return;
        const more = bytes * appetite.bytesAByte;
        body += bytes;
        bodyBytes += bytes;
        promised += more;
        count(0, more);
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        bodyBytes -= body;
        count(-live, -promised);
        onRelease?.();
        holdTime.released(clock.nowNs() - sinceNs);
        if (isAtRest()) onRest();
      },
    };
  }

  if (ceilingBytes !== undefined) lookOn();
  return {
    claim(sizeBytes, where) {
      check(sizeBytes, where);
      return open(sizeBytes, 0, where === undefined ? {} : { where });
    },
    check,
    hold: (sizeBytes) => open(0, sizeBytes),
    holdAnswer(sizeBytes) {
      if (gauge.usedBytes + sizeBytes > ceiling) {
        makeRoom();
        // Of several one is to get out.
        if (gauge.usedBytes > ceiling && answers > 0) {
          wasteBytes += sizeBytes;
          throw refuse('answer', noRoomForAnswer(sizeBytes));
        }
      }
      answers += 1;
      return open(0, sizeBytes, { onRelease: () => (answers -= 1) });
    },
    checkShort(where = 'body') {
      if (takenBytes() <= ceiling) return;
      makeRoom();
      if (takenBytes() > ceiling) throw refuse('ceiling', noRoom('content', where));
    },
    get isShort() {
      return gauge.usedBytes > bodyMark;
    },
    get isStuck() {
      return fullSinceNs !== undefined && clock.nowNs() - fullSinceNs >= STUCK_AFTER_NS;
    },
    onShort(letGo) {
      letGos.push(letGo);
    },
    survey() {
      makeRoom();
      gauge.startAnew();
      mostBytes = 0;
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
