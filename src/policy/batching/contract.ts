/**
 * What the parts of the batcher know of each other. A row is one item of a batch, a slot the place of one run in
 * flight, the window the time that a free slot waits for more rows. Times inside are nanoseconds as doubles.
 */

/**
 * A shape class: requests that may run in one batch (same datatypes, dimensions beyond rows, wanted outputs). Small
 * integers from 0, given out by the batcher.
 */
export type ShapeClass = number;

/** What a run takes, by the number of its rows; learned from runs. */
export interface CostModel {
  /** Expected time of a run of `rows` rows; extrapolated where that size was not seen; Infinity where nothing is known. */
  typicalNs(shape: ShapeClass, rows: number): number;
  /** Time that 99 of 100 such runs stay within. >= typicalNs. */
  p99Ns(shape: ShapeClass, rows: number): number;
  observe(shape: ShapeClass, rows: number, ns: number): void;
  /** A class is met for the first time: what is known of others holds by the elements of a row. */
  introduce?(shape: ShapeClass, elementsPerRow: number): void;
  /** Fewest rows (<= most) at which rows per second are nearly the best. */
  efficientRows(shape: ShapeClass, most: number): number;
  /** The largest run that was measured, of this class or of one that it is taken to be like. Default: none was. */
  knownRows?(shape: ShapeClass): number;
  /** Most rows (<= most) whose p99 is at most budgetNs; 0: not even one. */
  largestWithin(shape: ShapeClass, budgetNs: number, most: number): number;
}

/** A measured run to start from. Default shape: any. */
export interface CostSample {
  readonly shape?: ShapeClass;
  readonly rows: number;
  readonly ns: number;
}

/** When the next row is to be expected. */
export interface Arrivals {
  observe(nowNs: number, rows: number): void;
  /** Answers to so many rows went out: in a closed loop those who got them ask again soon. */
  answered?(nowNs: number, rows: number): void;
  /** Expected time until the next row, from now, given how long none came. Infinity: none is expected. */
  gapNs(nowNs: number): number;
  /** Rows per nanosecond on the whole; 0: not known. */
  rowsPerNs?(): number;
  /** Rows per nanosecond that the next runs have to reckon with: more than on the whole in a surge that lasts. */
  surgeRowsPerNs?(nowNs: number): number;
  /** Time until those who were answered last have asked again; 0: nothing is to be expected of them. */
  echoNs?(nowNs: number): number;
  /** Rows that were answered and have not come again. */
  echoRows?(): number;
}

/** What the decision to wait looks at: a free slot, and the rows of one class that it could run now. */
export interface WindowState {
  readonly nowNs: number;
  readonly rows: number;
  readonly mostRows: number;
  /** Expected time until the next row. */
  readonly gapNs: number;
  /** Time until those who were answered last have asked again. Default 0: they do not. */
  readonly echoNs?: number | undefined;
  /** Their rows that are still to come. Default: more than can be counted. */
  readonly echoRows?: number | undefined;
  /** Slots that are free now, with the one that is asked for. Default 1. */
  readonly freeSlots?: number | undefined;
  /** Time until one of the others is expected to be free. Default: there are none. */
  readonly nextFreeNs?: number | undefined;
  /** Slots in all, the time since the last run started in one, and the rows that come. Default: one slot. */
  readonly slots?: number | undefined;
  readonly sinceStartNs?: number | undefined;
  readonly rowsPerNs?: number | undefined;
  readonly shape: ShapeClass;
  readonly costs: CostModel;
  /** Last moment at which every waiting deadline still holds. */
  readonly latestStartNs: number;
  /** A fixed window, from the arrival of the oldest row; absent: decided by cost and arrivals. */
  readonly maxDelayNs?: number | undefined;
  /** Sizes at which there is nothing to wait for. */
  readonly preferredRows?: readonly number[] | undefined;
  readonly oldestSinceNs: number;
  /** 0: latency counts, 1: throughput does. */
  readonly weight: number;
}

export interface QueuePolicy {
  /** Requests that may wait; further ones are refused with OVERLOADED. Default 1024. */
  readonly maxWaiting: number;
  /** Longest time in the queue for a request that names none. Absent: as long as its deadline allows. */
  readonly defaultTimeoutMs?: number;
  /** What becomes of a request that waited longer: it is refused, or goes to the very end of the queue. */
  readonly timeoutAction: 'reject' | 'delay';
  /** May a request name a shorter time of its own? */
  readonly allowTimeoutOverride: boolean;
}

export interface BatchingOptions {
  /** Runs in flight at once. */
  readonly slots: number;
  /** Most rows of one run; 1: nothing is joined. `auto`: where the cost model sees no more gain, at most 256. */
  readonly maxBatchRows: number | 'auto';
  /** Fixed window; absent: decided by cost and arrivals. */
  readonly maxDelayMs?: number;
  readonly preferredRows?: readonly number[];
  /** Answers settle in the order in which requests came. Default false. */
  readonly preserveOrder?: boolean;
  /**
   * A batch is filled with copies of its last row up to one of these sizes, and their answers dropped: for models of
   * fixed batch sizes. Requests are split above the largest, however few rows may be joined.
   */
  readonly paddedRows?: readonly number[];
  /** Latency that is to hold where a request has no deadline. */
  readonly objectiveMs?: number;
  /** Level 1 is the most urgent; a request of priority 0 has the default. Absent: one level. */
  readonly priorities?: { readonly levels: number; readonly defaultLevel: number };
  readonly queue?: QueuePolicy;
  readonly queueByPriority?: Readonly<Record<number, QueuePolicy>>;
  /** Of throughput against latency, 0 to 1. Default 0.5. */
  readonly weight?: number;
}

/** Why a request was answered by the batcher without a run. */
export type BatchingRefusal = 'full' | 'late' | 'expired' | 'cancelled';

/** Hears what the batcher does; called on the request's way, so it only counts. */
export interface BatchingInstruments {
  /** A run began with this many rows of this many requests. */
  ran(rows: number, requests: number): void;
  refused(why: BatchingRefusal): void;
}
