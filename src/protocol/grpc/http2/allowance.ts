import type { Clock } from '../../../base/util/clock.ts';

/** So many of something at once, and so many a second in the long run. */
export class Allowance {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #atNs: number;

  constructor(clock: Clock, { most, perSecond }: { readonly most: number; readonly perSecond: number }) {
    this.#clock = clock;
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
    this.#atNs = clock.nowNs();
  }

  /** @returns whether one more is within it */
  take(): boolean {
    if (this.#left < 1) {
      const nowNs = this.#clock.nowNs();
      this.#left = Math.min(this.#most, this.#left + ((nowNs - this.#atNs) / 1e9) * this.#perSecond);
      this.#atNs = nowNs;
      if (this.#left < 1) return false;
    }
    this.#left -= 1;
    return true;
  }

  /** One of those that were taken does not count. */
  giveBack(): void {
    if (this.#left < this.#most) this.#left += 1;
  }
}
