/** Bytes that are under way; more are not read from the sender, who then has to wait as on a slow line. */
const MOST_HELD_BYTES = 1 << 20;

/**
 * Carries the bytes of one direction from one socket to the other, late, in pieces, damaged or not at all.
 *
 * @param random numbers in [0, 1)
 * @param onLimit as many bytes have gone through as may
 */
export function createPipe(from, to, random, onLimit) {
  const held = [];
  let heldBytes = 0;
  let passedBytes = 0;
  /** When the last of what is held is due, by performance.now(). */
  let lastDueMs = 0;
  let timer;
  let faults = {};
  let isOver = false;

  function take(bytes) {
    if (faults.isSilent) return;
    const { corruptShare = 0, sliceBytes = bytes.length, limitBytes = Number.POSITIVE_INFINITY } = faults;
    const damaged = corruptShare > 0 ? corrupted(bytes, corruptShare, random) : bytes;
    const left = Math.max(0, limitBytes - passedBytes);
    const whole = damaged.length > left ? damaged.subarray(0, left) : damaged;
    for (let at = 0; at < whole.length; at += sliceBytes) hold(whole.subarray(at, at + sliceBytes));
    passedBytes += whole.length;
    if (damaged.length > left || passedBytes === limitBytes) hold(undefined, onLimit);
  }

  /** Nothing overtakes what came before it. */
  function hold(bytes, act) {
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = faults;
    const now = performance.now();
    const length = bytes?.length ?? 0;
    const lineMs = (length / bytesPerSecond) * 1000;
    lastDueMs = Math.max(now + latencyMs + jitterMs * random(), lastDueMs) + lineMs;
    held.push({ dueMs: lastDueMs, bytes, act });
    heldBytes += length;
    if (heldBytes > MOST_HELD_BYTES) from.pause();
    if (held.length === 1) pass();
  }

  /** What is due. */
  function pass() {
    clearTimeout(timer);
    while (!isOver && held.length > 0) {
      const waitMs = held[0].dueMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pass, Math.ceil(waitMs));
        return;
      }
      const { bytes, act } = held.shift();
      heldBytes -= bytes?.length ?? 0;
      if (bytes !== undefined && to.writable && !to.write(bytes)) from.pause();
      act?.();
    }
    if (!to.writableNeedDrain && heldBytes <= MOST_HELD_BYTES) from.resume();
  }

  from.on('data', take);
  from.on('end', () => {
    if (faults.isHalfOpen || faults.isSilent) return;
    const { slowCloseMs = 0 } = faults;
    lastDueMs = Math.max(lastDueMs, performance.now()) + slowCloseMs;
    hold(undefined, () => to.end());
  });
  to.on('drain', () => {
    if (heldBytes <= MOST_HELD_BYTES) from.resume();
  });

  return {
    /** What is under way already goes on as it was. */
    set(next) {
      faults = next;
    },
    /** Whether the receiver is not to hear of the sender's end. */
    isDeaf: () => faults.isHalfOpen === true || faults.isSilent === true,
    stop() {
      isOver = true;
      clearTimeout(timer);
      held.length = 0;
    },
  };
}

/** A copy in which about that share of the bytes has one bit turned. */
function corrupted(bytes, share, random) {
  const copy = Buffer.from(bytes);
  // From one damaged byte to the next: most are left alone.
  for (let at = gap(share, random); at < copy.length; at += 1 + gap(share, random)) {
    copy[at] ^= 1 << Math.floor(random() * 8);
  }
  return copy;
}

/** How many are left alone before the next that is not (geometric). */
function gap(share, random) {
  return share >= 1 ? 0 : Math.floor(Math.log(1 - random()) / Math.log(1 - share));
}
