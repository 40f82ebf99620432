import { printableLines } from '../printable.ts';
import type { Style } from '../style.ts';
import type { Finding } from './finding.ts';

const ABOUT_WIDTH = 10;

/** A line for each finding, its mend below, and a count at the end. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  const paint = { ok: style.dim, warn: style.yellow, fail: style.red };
  const lines = findings.map(({ about, status, says, mend }) => {
    const head = `${paint[status](status.padEnd(4))}  ${about.padEnd(ABOUT_WIDTH)}${printableLines(says)}\n`;
    return mend === undefined
      ? head
      : `${head}${' '.repeat(6 + ABOUT_WIDTH)}${style.dim('->')} ${printableLines(mend)}\n`;
  });
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const sum =
    failed > 0
      ? `${failed} of ${findings.length} fail${failed === 1 ? 's' : ''}`
      : warned > 0
        ? `nimify can serve here; ${warned} of ${findings.length} could be better`
        : 'nimify can serve here';
  return `${lines.join('')}\n${sum}\n`;
}
