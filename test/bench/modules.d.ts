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

declare module '*/svg.mjs' {
  export interface Scale {
    place(value: number): number;
    readonly ticks: number[];
  }
  export function linearScale(values: readonly [number, number], pixels: readonly [number, number]): Scale;
  export function logScale(values: readonly [number, number], pixels: readonly [number, number]): Scale;
  export function text(x: number, y: number, content: string): string;
}
