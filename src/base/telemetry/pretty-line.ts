const COLOURS: Readonly<Record<string, string>> = { debug: '90', info: '36', warn: '33', error: '31' };
const DIM = '2';

/** A longer line is broken: its long fields stand below it. */
const LONGEST_LINE = 120;
const LONG_FIELD = 30;

/**
 * One JSON log line as a person wants it: time, level, message, then the fields; below it the long fields of a long
 * line, and errors, with causes.
 */
export function formatPrettyLine(json: string, coloured: boolean): string {
  const { time, level, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const paint = (code: string, text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const name = String(level);
  const fields = Object.entries(rest).map(([key, value]) => ({ key, text: formatField(value) }));
  const length = fields.reduce(
    (sum, { key, text }) => sum + key.length + text.length + 2,
    `${msg}`.length + 19,
  );
  const isBelow = ({ text }: { readonly text: string }) => length > LONGEST_LINE && text.length > LONG_FIELD;
  const show = ({ key, text }: (typeof fields)[number]) => `${paint(DIM, `${key}=`)}${text}`;
  const beside = fields.filter((field) => !isBelow(field)).map((field) => ` ${show(field)}`);
  const below = fields.filter(isBelow).map((field) => `  ${show(field)}\n`);
  const head = `${paint(DIM, clock)} ${paint(COLOURS[name] ?? DIM, name.padEnd(5))} ${msg ?? ''}${beside.join('')}\n`;
  return head + below.join('') + formatError(err, '  ');
}

function formatField(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function formatError(err: unknown, indent: string): string {
  if (err === undefined || err === null) return '';
  if (typeof err !== 'object') return `${indent}${String(err)}\n`;
  const { type, code, message, details, stack, cause } = err as Record<string, unknown>;
  const title = `${indent}${type ?? 'Error'}${code === undefined ? '' : ` ${code}`}: ${message ?? ''}\n`;
  const told = details === undefined ? '' : `${indent}  ${JSON.stringify(details)}\n`;
  const below = cause === undefined ? '' : `${indent}caused by\n${formatError(cause, `${indent}  `)}`;
  return title + told + stackFrames(stack, indent) + below;
}

function stackFrames(stack: unknown, indent: string): string {
  if (typeof stack !== 'string') return '';
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return frames.map((frame) => `${indent}${frame.trim()}\n`).join('');
}
