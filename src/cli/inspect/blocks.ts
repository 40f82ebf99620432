import type { BatchAxisVerdict } from '../../model/batch-axis.ts';
import { printable } from '../printable.ts';
import type { Style } from '../style.ts';
import type { RunReport } from './inspection.ts';

const LONGEST_METADATA = 200;

/** Blocks of lines with an empty line between them; those without lines are left out. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string {
  const shown = blocks.filter((lines) => lines.length > 0);
  return `${shown.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A heading with its lines below it; nothing where there are none. */
export function block(title: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : [`  ${style.bold(title)}`, ...lines.map((line) => `    ${line}`)];
}

/** Names and what they stand for, below each other. */
export function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}`);
}

/** What is known of the batch axis: by the signature, and, where it was loaded, by trying. */
export function batchLines(batchAxis: BatchAxisVerdict, run: RunReport | undefined): readonly string[] {
  const bySignature = printable(`${batchAxis.axis}: ${batchAxis.reason}`);
  const isFixed = batchAxis.fixedRows !== undefined;
  if (run !== undefined) {
    const condition = isFixed ? ' (with a batching.maxBatchSize)' : '';
    return [`${bySignature} (by the signature)`, `${printable(run.notes.batchAxis ?? '')}${condition}`];
  }
  const isOpen = batchAxis.axis === 0 || isFixed;
  return [isOpen ? `${bySignature}; loading proves it, see --run` : bySignature];
}

/** What loading showed. */
export function runLines({ loadMs, notes }: RunReport): readonly string[] {
  const others = Object.entries(notes).filter(([name]) => name !== 'batchAxis');
  return [
    `loaded and tested in ${Math.round(loadMs)} ms`,
    ...others.map(([name, text]) => `${printable(name)}: ${printable(text)}`),
  ];
}

export function metadataLines(metadata: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(metadata).map(([key, value]) => {
    const text = value.length > LONGEST_METADATA ? `${value.slice(0, LONGEST_METADATA)}...` : value;
    return `${printable(key)}: ${printable(text)}`;
  });
}

/** In the largest unit that fits: `212 bytes`, `4.9 MB`. */
export function describeSize(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = sizeBytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
