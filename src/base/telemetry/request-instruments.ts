import type { ErrorCode } from '../errors/table.ts';

export interface RequestOutcome {
  /** Served name and version; `` where the request did not name one that is served. */
  readonly model: string;
  readonly version: string;
  /** Route template, such as `/v2/models/{model}/infer`: bounded cardinality. */
  readonly route: string;
  readonly code: 'OK' | ErrorCode;
  readonly totalNs: number;
  readonly decodeNs: number;
  readonly queueNs: number;
  readonly computeNs: number;
  readonly encodeNs: number;
}

/** What every protocol reports about every request, so that HTTP and gRPC count the same things. */
export interface RequestInstruments {
  begin(): void;
  end(outcome: RequestOutcome): void;
}
