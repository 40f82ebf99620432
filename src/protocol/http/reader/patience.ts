/** How long a client has been waited for, without asking for the time at each request. */
export interface Patience {
  /** The client has done what it was waited for: from here on it is waited for anew. */
  renew(): void;
  /**
   * Milliseconds since the first call that came after the last `renew`. Called now and then, so it tells too little by
   * the time between two calls at most.
   */
  waitedMs(nowNs: number): number;
  /** It was never renewed. */
  readonly isFresh: boolean;
}

export function createPatience(nowNs: number): Patience {
  let renewals = 0;
  let seen = 0;
  let sinceNs = nowNs;
  return {
    renew() {
      renewals += 1;
    },
    waitedMs(nowNs) {
      if (renewals !== seen) {
        seen = renewals;
        sinceNs = nowNs;
      }
      return (nowNs - sinceNs) / 1e6;
    },
    get isFresh() {
      return renewals === 0;
    },
  };
}
