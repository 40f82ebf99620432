import { createRequire } from 'node:module';
import type { Logger as PinoLogger } from 'pino';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './log.ts';
import { plainFields } from './loggable.ts';
import { formatPrettyLine } from './pretty-line.ts';

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
  let lowest = options.level ?? 'info';
  let made: PinoLogger | undefined;

  function write(level: Exclude<LogLevel, 'silent'>, fields: LogFields, message: string): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(lowest)) return;
    made ??= openPino(options);
    made[level](plainFields(fields), message);
  }

  return {
    get level() {
      return lowest;
    },
    set level(wanted) {
      lowest = wanted;
    },
    debug: (fields, message) => write('debug', fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}

/** With the first line that is written, not before: pino takes as long to load as a small model. */
function openPino({ pretty = process.stderr.isTTY === true, sink }: PinoLogOptions): PinoLogger {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  const destination = sink ?? pino.destination({ dest: 2, sync: false });
  return pino(
    {
      // Which lines are written is decided above, where it may change.
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `err` arrives as plain fields; pino's own serializer would take it for an error without a stack.
      serializers: { err: (fields: unknown) => fields },
    },
    pretty ? prettySink(destination) : destination,
  );
}

function prettySink(sink: LogSink): LogSink {
  const { NO_COLOR } = process.env;
  const coloured = process.stderr.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '');
  return { write: (line) => sink.write(formatPrettyLine(line, coloured)) };
}
