/** What the search for the way to serve a model knows of the model, of ways, and of what they gave. */

import type { Model } from '../../model/contract.ts';
import type { GraphOptimization, HostKind } from '../../model/engine.ts';
import type { InferRequest } from '../../model/request.ts';

/** How a model is loaded. */
export interface Plan {
  readonly host: HostKind;
  readonly instances: number;
  readonly intraOpThreads: number;
  /** Options of the engine's sessions that are not the usual ones. */
  readonly session?: SessionChoice;
}

export interface SessionChoice {
  readonly memoryArena?: boolean;
  readonly graphOptimization?: GraphOptimization;
}

/** How requests for it are run together. */
export type Batching = 'auto' | 'off' | { readonly maxBatchSize: number; readonly maxDelayMs: number };

export interface Setting {
  readonly plan: Plan;
  readonly batching: Batching;
}

/** A model that can be loaded in several ways, one after the other. */
export interface Subject {
  /** @throws NimifyError where it cannot be loaded so */
  open(plan: Plan): Promise<OpenedPlan>;
}

export interface OpenedPlan {
  /** Why it may be batched, or not. */
  readonly batchAxis: { readonly isBatchable: boolean; readonly reason: string };
  /** Rows that every run is filled up to; absent: a run has those that there are. */
  readonly paddedRows?: number;
  /** Runs in flight at once. */
  readonly slots: number;
  /** Memory that all instances together took. */
  readonly memoryBytes: number;
  /** A request that the model answers: one row, where rows are counted. */
  readonly request: InferRequest;
  /** The model with this batching around it; there may be several, but only one is to be used at a time. */
  batched(batching: Batching): Model;
  close(): Promise<void>;
}

/** How requests came. `closed`: so many clients, each with one request at a time; `open`: by chance, so many a second. */
export type Load =
  | { readonly kind: 'closed'; readonly clients: number }
  | { readonly kind: 'open'; readonly perSecond: number };

/** What a setting gave under a load. */
export interface Observed {
  readonly answers: number;
  readonly refused: number;
  /** Answers. */
  readonly throughputPerS: number;
  readonly latencyMs: {
    readonly p50: number;
    readonly p99: number;
    /** Of the percentile that the search is about. */
    readonly asked: number;
  };
}

export interface Point extends Observed {
  readonly setting: Setting;
  readonly load: Load;
  readonly memoryBytes: number;
}
