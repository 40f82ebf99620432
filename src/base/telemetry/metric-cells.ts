import { formatLabels, formatValue } from './exposition.ts';
import type { Counter, Gauge, Histogram } from './metrics.ts';

/** A series that can write its own sample lines. */
export interface Rendered {
  render(): string;
}

/** Hands out runs of zeros. They stay where they are, so a series keeps its view for life. */
export type AllocateCells = (count: number) => Float64Array;

const CELLS_PER_CHUNK = 1024;

/** Many series share one chunk, which keeps the numbers of one request's way near each other. */
export function createCellAllocator(): AllocateCells {
  let chunk = new Float64Array(CELLS_PER_CHUNK);
  let used = 0;
  return (count) => {
    if (count > CELLS_PER_CHUNK) return new Float64Array(count);
    if (used + count > CELLS_PER_CHUNK) {
      chunk = new Float64Array(CELLS_PER_CHUNK);
      used = 0;
    }
    used += count;
    return chunk.subarray(used - count, used);
  };
}

export interface SeriesPlace {
  readonly name: string;
  readonly labelNames: readonly string[];
  readonly values: readonly string[];
  readonly allocate: AllocateCells;
}

/** Negative steps and NaN are dropped: a counter never goes down, and one bad number must not spoil it. */
export function createCounterCell(place: SeriesPlace): Counter & Rendered {
  const cell = place.allocate(1);
  const prefix = sampleName(place.name, labelsOf(place));
  return {
    inc(by = 1) {
      if (by >= 0) cell[0]! += by;
    },
    render: () => `${prefix} ${formatValue(cell[0]!)}\n`,
  };
}

export function createGaugeCell(place: SeriesPlace): Gauge & Rendered {
  const cell = place.allocate(1);
  const prefix = sampleName(place.name, labelsOf(place));
  return {
    set(value) {
      cell[0] = value;
    },
    add(by) {
      cell[0]! += by;
    },
    render: () => `${prefix} ${formatValue(cell[0]!)}\n`,
  };
}

/**
 * Cells: one count for each bucket, one for what is above the last bound, then the sum. Counts are kept apart
 * and added up on render, so that an observation writes two cells however many buckets there are. NaN is
 * dropped.
 */
export function createHistogramCell(place: SeriesPlace, bounds: Float64Array): Histogram & Rendered {
  const above = bounds.length;
  const cells = place.allocate(bounds.length + 2);
  const labels = labelsOf(place);
  const lead = labels === '' ? '' : `${labels},`;
  const prefixes = [...bounds, Number.POSITIVE_INFINITY].map((bound) =>
    sampleName(`${place.name}_bucket`, `${lead}le="${formatValue(bound)}"`),
  );
  const sumPrefix = sampleName(`${place.name}_sum`, labels);
  const countPrefix = sampleName(`${place.name}_count`, labels);
  return {
    observe(value) {
      if (Number.isNaN(value)) return;
      let at = 0;
      while (at < above && value > bounds[at]!) at += 1;
      cells[at]! += 1;
      cells[above + 1]! += value;
    },
    render() {
      let text = '';
      let count = 0;
      for (let at = 0; at <= above; at += 1) {
        count += cells[at]!;
        text += `${prefixes[at]} ${formatValue(count)}\n`;
      }
      return `${text}${sumPrefix} ${formatValue(cells[above + 1]!)}\n${countPrefix} ${formatValue(count)}\n`;
    },
  };
}

function labelsOf(place: SeriesPlace): string {
  return formatLabels(place.labelNames, place.values);
}

function sampleName(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}
