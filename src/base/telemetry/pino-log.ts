import { createRequire } from 'node:module';
import type { Logger } from './log.ts';
import { plainFields } from './loggable.ts';
import { formatPrettyLine } from './pretty-line.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogSink {
  /** Takes one whole line, newline included. */
  write(line: string): void;
}

export interface PinoLogOptions {
  /** Lowest level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Lines for people instead of JSON. Default: when stderr is a terminal. */
  readonly pretty?: boolean;
  /** Default: stderr, so that stdout stays free for results; written asynchronously, flushed at exit. */
  readonly sink?: LogSink;
}

/**
 * A logger on pino. One JSON object a line with `level`, `time` (ISO 8601), the fields and `msg`. `err` is
 * written with all its causes; secrets are left out (see `toLoggable`).
 */
export function createPinoLogger(options: PinoLogOptions = {}): Logger {
  const { level = 'info', pretty = process.stderr.isTTY === true } = options;
  // Loaded here and not above: a library user or a client command that never logs does not pay for it.
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  const sink = options.sink ?? pino.destination({ dest: 2, sync: false });
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `err` arrives as plain fields; pino's own serializer would take it for an error without a stack.
      serializers: { err: (fields: unknown) => fields },
    },
    pretty ? prettySink(sink) : sink,
  );
  return {
    debug(fields, message) {
      if (log.isLevelEnabled('debug')) log.debug(plainFields(fields), message);
    },
    info(fields, message) {
      if (log.isLevelEnabled('info')) log.info(plainFields(fields), message);
    },
    warn(fields, message) {
      if (log.isLevelEnabled('warn')) log.warn(plainFields(fields), message);
    },
    error(fields, message) {
      if (log.isLevelEnabled('error')) log.error(plainFields(fields), message);
    },
  };
}

function prettySink(sink: LogSink): LogSink {
  const { NO_COLOR } = process.env;
  const coloured = process.stderr.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '');
  return { write: (line) => sink.write(formatPrettyLine(line, coloured)) };
}
