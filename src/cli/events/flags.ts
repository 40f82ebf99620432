export interface EventsFlags {
  readonly follow?: boolean;
  readonly type?: readonly string[];
  readonly model?: string;
  readonly state?: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}
