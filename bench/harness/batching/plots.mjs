import { number } from '../markdown.mjs';
import { median } from '../statistics.mjs';
import { dot, line, linearScale, logScale, polyline, rectangle, svgOf, text } from '../svg.mjs';

/** Told apart by people who see few colours too (Okabe and Ito). */
const COLORS = {
  nimify: '#d55e00',
  'nimify-unbatched': '#e69f00',
  triton: '#009e73',
  fastapi: '#0072b2',
  litserve: '#cc79a7',
  bentoml: '#56b4e9',
  mlserver: '#777777',
};
const PANEL = { width: 380, height: 250, left: 56, right: 14, top: 30, bottom: 42 };
const COLUMNS = 2;
const LEGEND_HEIGHT = 34;
const LEGEND_STEP = 138;

/** Throughput against p99, a panel for each model, a line for each server through its rates with Poisson arrivals. */
export function drawThroughput({ models, runs, date }) {
  const open = runs.filter((run) => run.scenario === 'open' && run.arrivals === 'poisson' && run.p99Us > 0);
  const shown = models.filter((model) => open.some((run) => run.model === model.name));
  const servers = Object.keys(COLORS).filter((name) => open.some((run) => run.server === name));
  return drawPanels({
    title: 'Throughput against p99, open loop, Poisson arrivals at 20, 50 and 80 % of each server’s peak',
    ...{ shown, servers, date },
    draw(model, box) {
      const mine = pointsOf(open.filter((run) => run.model === model.name));
      const x = logScale(rangeOf(mine.map((point) => point.perSecond)), [box.left, box.right]);
      const wanted = model.objectiveMs === undefined ? [] : [model.objectiveMs];
      const y = logScale(rangeOf([...mine.map((point) => point.p99Ms), ...wanted]), [box.bottom, box.top]);
      return [
        axes(box, x, y, { x: 'requests/s', y: 'up: p99 ms' }),
        wanted.map((ms) => [
          line(box.left, y.place(ms), box.right, y.place(ms), { color: '#999999' }),
          text(box.right - 2, y.place(ms) - 4, 'objective', { anchor: 'end', size: 10 }),
        ]),
        servers.map((server) => {
          const points = mine.filter((point) => point.server === server);
          const color = COLORS[server];
          const width = server === 'nimify' ? 2.5 : 1.5;
          return [
            polyline(
              points.map((point) => [x.place(point.perSecond), y.place(point.p99Ms)]),
              { color, width },
            ),
            points.map((point) => dot(x.place(point.perSecond), y.place(point.p99Ms), { ...point, color })),
          ];
        }),
      ];
    },
  });
}

/** Goodput at three times the peak: a bar for each server, and above it what it answers at its peak. */
export function drawOverload({ models, runs, date }) {
  const over = runs.filter((run) => run.scenario === 'overload');
  const shown = models.filter((model) => over.some((run) => run.model === model.name));
  const servers = Object.keys(COLORS).filter((name) => over.some((run) => run.server === name));
  return drawPanels({
    title: 'Answers within the objective at three times each server’s peak; outlined: the peak',
    ...{ shown, servers, date },
    draw(model, box) {
      const bars = servers.map((server) => {
        const mine = over.filter((run) => run.model === model.name && run.server === server);
        const good = mine.length === 0 ? 0 : median(mine.map((run) => run.goodPerSecond[0]));
        return { server, good, peak: model.peaks[server] ?? 0 };
      });
      const most = Math.max(...bars.map(({ good, peak }) => Math.max(good, peak)));
      const y = linearScale([0, most * 1.05], [box.bottom, box.top]);
      const step = (box.right - box.left) / bars.length;
      return [
        axes(box, undefined, y, { x: '', y: 'up: requests/s' }),
        bars.map(({ server, good, peak }, index) => {
          const left = box.left + step * (index + 0.15);
          const bar = (value, how) =>
            rectangle(left, y.place(value), step * 0.7, box.bottom - y.place(value), how);
          return [
            bar(peak, { color: 'none', outline: COLORS[server], label: `${server}: peak ${number(peak)}/s` }),
            bar(good, { color: COLORS[server], label: `${server}: ${number(good)}/s within the objective` }),
          ];
        }),
      ];
    },
  });
}

function drawPanels({ title, shown, servers, date, draw }) {
  const rows = Math.max(1, Math.ceil(shown.length / COLUMNS));
  const width = PANEL.width * COLUMNS;
  const perLine = Math.floor((width - PANEL.left) / LEGEND_STEP);
  const legendHeight = LEGEND_HEIGHT + 18 * Math.ceil(servers.length / perLine);
  const height = legendHeight + PANEL.height * rows;
  const legend = servers.map((server, index) => {
    const left = PANEL.left + (index % perLine) * LEGEND_STEP;
    const top = LEGEND_HEIGHT + 18 * Math.floor(index / perLine);
    return [
      rectangle(left, top - 9, 10, 10, { color: COLORS[server], label: server }),
      text(left + 15, top, server),
    ];
  });
  const panels = shown.map((model, index) => {
    const left = (index % COLUMNS) * PANEL.width;
    const top = legendHeight + Math.floor(index / COLUMNS) * PANEL.height;
    const box = {
      left: left + PANEL.left,
      right: left + PANEL.width - PANEL.right,
      top: top + PANEL.top,
      bottom: top + PANEL.height - PANEL.bottom,
    };
    return [text(box.left, box.top - 10, model.name, { weight: 'bold' }), draw(model, box)];
  });
  return svgOf({ width, height, title: `${title} (${date})` }, [
    text(PANEL.left, 16, title, { weight: 'bold' }),
    legend,
    panels,
  ]);
}

function axes(box, x, y, labels) {
  return [
    y.ticks.map((tick) => [
      line(box.left, y.place(tick), box.right, y.place(tick)),
      text(box.left - 6, y.place(tick) + 4, short(tick), { anchor: 'end', size: 10 }),
    ]),
    (x?.ticks ?? []).map((tick) => [
      line(x.place(tick), box.top, x.place(tick), box.bottom),
      text(x.place(tick), box.bottom + 14, short(tick), { anchor: 'middle', size: 10 }),
    ]),
    line(box.left, box.bottom, box.right, box.bottom, { color: '#333333' }),
    line(box.left, box.top, box.left, box.bottom, { color: '#333333' }),
    text((box.left + box.right) / 2, box.bottom + 30, labels.x, { anchor: 'middle', size: 11 }),
    text(box.right, box.top - 10, labels.y, { anchor: 'end', size: 11 }),
  ];
}

/** Medians of the rounds of each server at each rate, slowest rate first. */
function pointsOf(runs) {
  const groups = new Map();
  for (const run of runs) {
    const key = `${run.server} ${run.share}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()]
    .map((rounds) => {
      const [{ server, share }] = rounds;
      const perSecond = median(rounds.map((run) => run.perSecond));
      const p99Ms = median(rounds.map((run) => run.p99Us)) / 1000;
      const label = `${server}: ${number(perSecond)}/s, p99 ${number(p99Ms)} ms`;
      return { server, share, perSecond, p99Ms, label };
    })
    .sort((one, other) => one.share - other.share);
}

/** With some air on both sides, of values on a logarithmic scale. */
function rangeOf(values) {
  return [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
}

function short(value) {
  return value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));
}
