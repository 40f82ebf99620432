/**
 * Loaded before everything else in a process whose wall clock is to jump (`node --require`): Date is off by the
 * milliseconds that stand in the file CHAOS_CLOCK_FILE. The monotonic clock is left alone.
 */
const { readFileSync } = require('node:fs');

const LOOK_EVERY_MS = 20;
const RealDate = Date;
const file = process.env.CHAOS_CLOCK_FILE;
let offsetMs = 0;

class JumpingDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...given);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
}
globalThis.Date = JumpingDate;

setInterval(() => {
  try {
    offsetMs = Number(readFileSync(file, 'utf8'));
  } catch {
    // Nobody has set it yet.
  }
}, LOOK_EVERY_MS).unref();
