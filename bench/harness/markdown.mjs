export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function spread({ median: middle, min, max }) {
  return min === max ? number(middle) : `${number(middle)} (${number(min)} to ${number(max)})`;
}

/** Three digits or more. */
export function number(value) {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  return size >= 1000
    ? Math.round(value).toLocaleString('en')
    : value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
