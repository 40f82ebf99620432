import type { EventRecord } from '../../control/events/contract.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';

const INDENT = '  ';

/** When, how far it has gone, what and where; below it what happened and what was done about it. */
export function renderRecord(record: EventRecord, style: Style): string {
  const { time, state, type, change, message, done, runbook } = record;
  const times = change === 'repeated' ? ` (${record.count} times)` : '';
  const head = `${style.dim(printable(time))}  ${paintState(state, style)}  ${printable(type)}${subjectOf(record)}${times}`;
  const lines = [head, `${INDENT}${printable(message)}`];
  if (done !== undefined) lines.push(`${INDENT}done: ${printable(done)}`);
  // What is new or worse may need somebody who has not read it.
  if (change === 'opened' || change === 'raised' || change === 'lasted') {
    lines.push(`${INDENT}${style.dim(printable(runbook))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What is not over, or that nothing is. */
export function renderOpen(open: readonly EventRecord[], shown: number, style: Style): string {
  const gap = shown === 0 ? '' : '\n';
  if (open.length === 0) return `${gap}${shown === 0 ? 'nothing has happened' : 'nothing is open'}\n`;
  const lines = open.map(
    (record) =>
      `${INDENT}${paintState(record.state, style)}  ${printable(record.type)}${subjectOf(record)}, since ${printable(record.since)}\n`,
  );
  return `${gap}${open.length} open:\n${lines.join('')}`;
}

function subjectOf({ model, version, part }: EventRecord): string {
  const of = [
    ...(model === undefined ? [] : [version === undefined ? model : `${model}/${version}`]),
    ...(part === undefined ? [] : [part]),
  ];
  return of.length === 0 ? '' : ` ${of.map(printable).join(' ')}`;
}

function paintState(state: EventRecord['state'], style: Style): string {
  const text = printable(state).padEnd('mitigating'.length);
  if (state === 'paging') return style.red(text);
  return state === 'degraded' || state === 'mitigating' ? style.yellow(text) : style.dim(text);
}
