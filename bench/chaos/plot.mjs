import { dot, line, linearScale, polyline, rectangle, svgOf, text } from '../harness/svg.mjs';

const COLORS = { default: '#2a6f4e', off: '#c05a3c' };
const NAMES = { default: 'nimify', off: 'all policies off' };
const COLUMNS = 3;
const CELL = { width: 300, height: 120, top: 34, left: 40, right: 12, bottom: 24 };
const HEAD = 44;

/** For each fault, the share of the requests of each quarter of a second that were answered right and in time. */
export function drawFaults({ rows, meanings }) {
  const faults = meanings.filter(({ name }) =>
    rows.some(({ fault, bins }) => fault === name && bins !== undefined),
  );
  const height = HEAD + Math.ceil(faults.length / COLUMNS) * CELL.height;
  const title = 'Requests answered right and in time, while something is broken';
  return svgOf({ width: COLUMNS * CELL.width, height, title }, [
    text(12, 20, title, { size: 14, weight: 'bold' }),
    Object.keys(COLORS).flatMap((policies, at) => [
      rectangle(12 + at * 130, 28, 10, 10, { color: COLORS[policies], label: NAMES[policies] }),
      text(27 + at * 130, 37, NAMES[policies]),
    ]),
    faults.map(({ name }, at) =>
      drawFault(
        name,
        rows.filter(({ fault, bins }) => fault === name && bins !== undefined),
        { x: (at % COLUMNS) * CELL.width, y: HEAD + Math.floor(at / COLUMNS) * CELL.height },
      ),
    ),
  ]);
}

function drawFault(name, rows, { x, y }) {
  const { width, height, top, left, right, bottom } = CELL;
  const spans = rows.map(({ bins }) => [bins.fromMs, bins.fromMs + bins.binMs * bins.due.length]);
  const fromMs = Math.min(...spans.map(([from]) => from));
  const toMs = Math.max(...spans.map(([, to]) => to));
  const across = linearScale([fromMs / 1000, toMs / 1000], [x + left, x + width - right]);
  const up = linearScale([0, 1], [y + height - bottom, y + top]);
  const lastsSeconds = rows[0].lastsMs / 1000;
  return [
    // While it lasts; an instant is a line.
    rectangle(
      across.place(0),
      up.place(1),
      Math.max(1, across.place(lastsSeconds) - across.place(0)),
      up.place(0) - up.place(1),
      {
        color: '#f3e6c8',
        label: `${name}: ${lastsSeconds.toFixed(1)} s`,
      },
    ),
    text(x + left, y + top - 8, name, { weight: 'bold' }),
    [0, 0.5, 1].flatMap((share) => [
      line(x + left, up.place(share), x + width - right, up.place(share)),
      text(x + left - 5, up.place(share) + 4, `${share * 100} %`, { anchor: 'end', size: 10 }),
    ]),
    across.ticks.map((tick) =>
      text(across.place(tick), y + height - bottom + 13, `${tick} s`, { anchor: 'middle', size: 10 }),
    ),
    // What it is to be lies on top.
    [...rows].reverse().map(({ policies, bins }) => drawBins(bins, COLORS[policies], across, up)),
  ];
}

function drawBins({ fromMs, binMs, due, correct }, color, across, up) {
  const points = due.flatMap((count, at) =>
    count === 0 ? [] : [[across.place((fromMs + (at + 0.5) * binMs) / 1000), up.place(correct[at] / count)]],
  );
  return points.length === 1
    ? dot(...points[0], { color, label: '' })
    : polyline(points, { color, width: 1.5 });
}
