/** As much of SVG as the benchmark's plots take. All lengths in pixels, from the top left. */

const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const INK = '#333333';
const GRID = '#dddddd';

/** A drawing with a white ground, so that it can be read on any page. */
export function svgOf({ width, height, title }, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ${FONT} fill="${INK}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts.flat(Number.POSITIVE_INFINITY),
    '</svg>',
    '',
  ].join('\n');
}

export function text(x, y, content, { anchor = 'start', size = 12, weight = 'normal' } = {}) {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}">${escaped(content)}</text>`;
}

export function line(x1, y1, x2, y2, { color = GRID, width = 1 } = {}) {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${color}" stroke-width="${width}"/>`;
}

export function polyline(points, { color, width = 1.5 }) {
  const list = points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ');
  return `<polyline points="${list}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

/** `label` is shown where a pointer rests on it. */
export function dot(x, y, { color, radius = 3.5, label }) {
  return `<circle cx="${at(x)}" cy="${at(y)}" r="${radius}" fill="${color}"><title>${escaped(label)}</title></circle>`;
}

export function rectangle(x, y, width, height, { color, label, outline }) {
  const stroke = outline === undefined ? '' : ` stroke="${outline}"`;
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${color}"${stroke}><title>${escaped(label)}</title></rect>`;
}

/**
 * A scale from values to pixels.
 * @returns `place(value)`, and `ticks`: round values within, a dozen at most
 */
export function linearScale([low, high], [from, to]) {
  const step = niceStep((high - low) / 5);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high * (1 + 1e-9); tick += step) ticks.push(tick);
  return { place: (value) => from + ((value - low) / (high - low)) * (to - from), ticks };
}

/** The same for values above 0, of several orders of magnitude. */
export function logScale([low, high], [from, to]) {
  const bottom = Math.log10(low);
  const span = Math.log10(high) - bottom || 1;
  const marks = span > 2.5 ? [1] : span > 1 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(bottom); power <= Math.ceil(bottom + span); power += 1) {
    for (const mark of marks) {
      const tick = mark * 10 ** power;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return { place: (value) => from + ((Math.log10(value) - bottom) / span) * (to - from), ticks };
}

/** 1, 2 or 5 times a power of ten, at least so large. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((mark) => mark * power).find((step) => step >= least * (1 - 1e-9));
}

function at(value) {
  return String(Math.round(value * 10) / 10);
}

function escaped(content) {
  return String(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
