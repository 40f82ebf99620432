const COLOURS: Readonly<Record<string, string>> = { debug: '90', info: '36', warn: '33', error: '31' };
const DIM = '2';

/** One JSON log line as a person wants it: time, level, message, then the fields; errors below, with causes. */
export function formatPrettyLine(json: string, coloured: boolean): string {
  const { time, level, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const paint = (code: string, text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const name = String(level);
  const fields = Object.entries(rest).map(([key, value]) => ` ${paint(DIM, `${key}=`)}${formatField(value)}`);
  const head = `${paint(DIM, clock)} ${paint(COLOURS[name] ?? DIM, name.padEnd(5))} ${msg ?? ''}${fields.join('')}\n`;
  return head + formatError(err, '  ');
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
