/** Structured fields of a log line. `err` holds an error with its native cause: logs are the place for it. */
export type LogFields = Readonly<Record<string, unknown>>;

/** From the lowest on. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Logger {
  /** Lowest level that is written; to be set while the server runs. Absent where that is the host program's affair. */
  level?: LogLevel;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Drops everything: the default of the library, where the host program decides what is logged. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
