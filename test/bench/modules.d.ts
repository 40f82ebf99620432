/** Of the benchmark's modules, which are plain JavaScript, those that are tested here. */
declare module '*/answer-reader.mjs' {
  export function createAnswerReader(
    onAnswer: (status: number, closes: boolean) => void,
  ): (bytes: Buffer) => void;
}

declare module '*/arrivals.mjs' {
  export interface Arrivals {
    readonly kind: string;
    readonly ratePerSecond: number;
    readonly seconds: number;
    readonly seed: number;
    readonly trace?: string;
  }
  export function scheduleOf(arrivals: Arrivals): Float64Array;
}

declare module '*/open-loop-summary.mjs' {
  export const UNANSWERED: number;
  export interface Outcome {
    readonly schedule: ArrayLike<number>;
    readonly status: ArrayLike<number>;
    readonly latencyMs: ArrayLike<number>;
    readonly lateMs: ArrayLike<number>;
  }
  export interface Measured {
    readonly rampSeconds: number;
    readonly seconds: number;
    readonly thresholdsMs: readonly number[];
  }
  export function summarizeOpenLoop(outcome: Outcome, measured: Measured): Record<string, unknown>;
}

declare module '*/run-open-loop.mjs' {
  export function openLoopOf(
    file: string,
    request: { readonly path: string; readonly headers: Record<string, string>; readonly body: Buffer },
    arrivals: Record<string, unknown>,
  ): (where: { readonly port: number; readonly core?: string }) => Promise<Record<string, number>>;
}

declare module '*/batching/least-missed.mjs' {
  export function leastMissed(at: {
    readonly schedule: Float64Array;
    readonly rampSeconds: number;
    readonly objectiveMs: number;
    readonly peak: number;
    readonly bareRunUs: number;
  }): number;
}

declare module '*/batching/bars.mjs' {
  export interface Bar {
    readonly what: string;
    readonly verdict: string;
  }
  export function judgeBatchingBars(results: {
    readonly models: readonly object[];
    readonly runs: readonly object[];
  }): Bar[];
}

declare module '*/limits/bars.mjs' {
  export interface Bar {
    readonly what: string;
    readonly verdict: string;
    readonly measured?: { readonly median: number; readonly min: number; readonly max: number };
  }
  export function judgeLimits(results: { readonly parts: readonly object[] }): Bar[];
}

declare module '*/limits/closed-loop-summary.mjs' {
  export function summarizeClosedLoop(
    answers: readonly { readonly status: number; readonly atMs: number; readonly latencyMs: number }[],
    at: { readonly rampEndMs: number },
  ): Record<string, unknown>;
}

declare module '*/limits/run-closed-loop.mjs' {
  export function closedLoopOf(
    file: string,
    request: { readonly path: string; readonly headers: Record<string, string>; readonly body: Buffer },
  ): (where: {
    readonly port: number;
    readonly connections: number;
    readonly seconds: number;
    readonly core: string;
  }) => Promise<Record<string, number>>;
}

declare module '*/limits/verdict.mjs' {
  type Runs = readonly { readonly perSecond: number; readonly cpuUsPerRequest: number }[];
  export function judgeTimes(bar: {
    readonly what: string;
    readonly bar: number;
    readonly ours: Runs;
    readonly again: Runs;
    readonly theirs: Runs;
    readonly isBusy?: boolean;
  }): { readonly what: string; readonly verdict: string };
}

declare module '*/svg.mjs' {
  export interface Scale {
    place(value: number): number;
    readonly ticks: number[];
  }
  export function linearScale(values: readonly [number, number], pixels: readonly [number, number]): Scale;
  export function logScale(values: readonly [number, number], pixels: readonly [number, number]): Scale;
  export function text(x: number, y: number, content: string): string;
}

declare module '*/soak/ledger.mjs' {
  export interface SoakRequest {
    readonly number: number;
    readonly kind: 'plain' | 'deadline' | 'cancel' | 'half' | 'bad';
    readonly model: string;
    readonly isBinary: boolean;
    readonly deadlineMs?: number;
    readonly stayMs: number;
    readonly sentShare: number;
    readonly parameters: Readonly<Record<string, number>>;
    readonly inputs: readonly object[];
    readonly expected: readonly { readonly name: string; readonly bytes: Buffer }[];
  }
  export interface Outcome {
    readonly answer?: {
      readonly id: string;
      readonly outputs: readonly { readonly name: string; readonly bytes: Buffer }[];
    };
    readonly code?: string;
    readonly lost?: string;
  }
  export interface Ledger {
    readonly counts: Readonly<Record<string, number>>;
    sent(): void;
    settle(request: SoakRequest, outcome: Outcome): void;
    isBalanced(): boolean;
  }
  export function createLedger(): Ledger;
}

declare module '*/soak/http-caller.mjs' {
  /** A ledger and requests are those of ledger.mjs. */
  export function createHttpCaller(how: { readonly port: number; readonly ledger: object }): {
    call(request: object): Promise<void>;
    hangUp(): Promise<void>;
  };
}

declare module '*/soak/judge.mjs' {
  export interface Soaked {
    readonly counts: Readonly<Record<string, number>>;
    readonly isBalanced: boolean;
    readonly pauses: readonly {
      readonly memoryMib: number;
      readonly handles: number;
      readonly loops: number;
      readonly threads: number;
    }[];
    readonly cores: number;
    readonly served: readonly {
      readonly model: string;
      readonly answered: number;
      readonly successes: number;
      readonly mayHave: number;
    }[];
    readonly exit: number | string;
    readonly logFaults: readonly string[];
  }
  export function judge(soaked: Soaked): readonly { readonly what: string; readonly isOk?: boolean }[];
}

declare module '*/chaos/models.mjs' {
  export interface ChaosRequest {
    readonly number: number;
    readonly inputs: readonly { readonly data: Float32Array }[];
    readonly expected: readonly { readonly name: string; readonly bytes: Buffer }[];
  }
  export function requestOf(options: {
    readonly number: number;
    readonly model: string;
    readonly isBinary: boolean;
    readonly deadlineMs: number;
    readonly random: () => number;
  }): ChaosRequest;
}

declare module '*/chaos/outcomes.mjs' {
  export type Outcome = 'correct' | 'late' | 'refused' | 'failed' | 'lost' | 'wrong';
  export function outcomeOf(
    request: object,
    came: {
      readonly answer?: {
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: Buffer;
      };
      readonly lost?: string;
      readonly openedMs?: number;
    },
    latencyMs: number,
  ): { readonly is: Outcome; readonly says?: string };
}

declare module '*/chaos/row.mjs' {
  export interface FaultRecord {
    readonly number: number;
    readonly model: string;
    readonly group: string;
    readonly dueMs: number;
    readonly sentMs: number;
    readonly doneMs: number;
    readonly is: 'correct' | 'late' | 'refused' | 'failed' | 'lost' | 'wrong';
    readonly says?: string;
    readonly openedMs?: number;
  }
  export interface FaultRow {
    readonly requests: number;
    readonly recoverMs?: number;
  }
  export function rowOf(what: {
    readonly fault: {
      readonly name: string;
      readonly signs?: readonly string[];
      readonly mends?: readonly string[];
      readonly judgesProxied?: boolean;
    };
    readonly policies: string;
    readonly begins: { readonly ms: number; readonly wallMs: number };
    readonly endsMs: number;
    readonly startMs: number;
    readonly diedMs?: number;
    readonly records: readonly FaultRecord[];
    readonly surplus: number;
    readonly events: readonly { readonly type: string; readonly time: string }[];
    readonly counters: { readonly retries: number; readonly hedges: number };
    readonly calls?: number;
    readonly extras: object;
    readonly isAlive: boolean;
  }): FaultRow;
}

declare module '*/chaos/bars.mjs' {
  export function judgeRow(
    fault: { readonly bars: readonly string[] },
    row: object,
  ): readonly {
    readonly what: string;
    readonly wanted: string;
    readonly found: string;
    readonly isMet: boolean;
    readonly isTiming: boolean;
  }[];
}
