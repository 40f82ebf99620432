/** Structured fields of a log line. `err` holds an error with its native cause: logs are the place for it. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Drops everything: the default of the library, where the host program decides what is logged. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
