import { NimifyError } from '../errors/nimify-error.ts';
import { escapeHelp, isLabelName, isMetricName } from './exposition.ts';
import {
  createCellAllocator,
  createCounterCell,
  createGaugeCell,
  createHistogramCell,
  type Rendered,
  type SeriesPlace,
} from './metric-cells.ts';
import type { Family, MetricsRegistry } from './metrics.ts';

/**
 * Metrics without a library: numbers lie in typed arrays, a series is bound once, and text is made on scrape
 * only. Registration throws NimifyError INTERNAL on a name that Prometheus would refuse or that is taken.
 */
export function createMetricsRegistry(): MetricsRegistry {
  const allocate = createCellAllocator();
  const families: Rendered[] = [];
  const collectors: (() => void)[] = [];
  const taken = new Set<string>();

  function register<Series extends Rendered>(
    head: FamilyHead,
    suffixes: readonly string[],
    make: (place: SeriesPlace) => Series,
  ): Family<Series> {
    checkNames(head);
    for (const suffix of suffixes) {
      const name = head.name + suffix;
      if (taken.has(name)) throw fault(`metric ${name} is registered twice`);
    }
    for (const suffix of suffixes) taken.add(head.name + suffix);
    const family = createFamily(head, (values) =>
      make({ name: head.name, labelNames: head.labelNames, values, allocate }),
    );
    families.push(family);
    return family;
  }

  return {
    counter(name, help, labelNames = []) {
      if (name.endsWith('_total')) throw fault(`counter ${name}: leave out _total, the text format adds it`);
      const head: FamilyHead = { name: `${name}_total`, help, labelNames, type: 'counter' };
      return register(head, [''], createCounterCell);
    },
    gauge(name, help, labelNames = []) {
      return register({ name, help, labelNames, type: 'gauge' }, [''], createGaugeCell);
    },
    histogram(name, help, buckets, labelNames = []) {
      const bounds = toBounds(name, buckets);
      const head: FamilyHead = { name, help, labelNames, type: 'histogram' };
      return register(head, ['', '_bucket', '_sum', '_count'], (place) => createHistogramCell(place, bounds));
    },
    onCollect(collect) {
      collectors.push(collect);
    },
    render() {
      for (const collect of collectors) collect();
      return families.map((family) => family.render()).join('');
    },
  };
}

interface FamilyHead {
  /** As exposed, so with `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly type: 'counter' | 'gauge' | 'histogram';
}

function createFamily<Series extends Rendered>(
  head: FamilyHead,
  make: (values: readonly string[]) => Series,
): Family<Series> & Rendered {
  const series = new Map<string, Series>();
  const header = `# HELP ${head.name} ${escapeHelp(head.help)}\n# TYPE ${head.name} ${head.type}\n`;
  return {
    labels(...values) {
      if (values.length !== head.labelNames.length) {
        throw fault(`${head.name} has ${head.labelNames.length} labels, got ${values.length} values`);
      }
      const key = JSON.stringify(values);
      let bound = series.get(key);
      if (bound === undefined) {
        bound = make(values);
        series.set(key, bound);
      }
      return bound;
    },
    render() {
      let text = header;
      for (const one of series.values()) text += one.render();
      return text;
    },
  };
}

function checkNames(head: FamilyHead): void {
  if (!isMetricName(head.name)) throw fault(`${JSON.stringify(head.name)} is no metric name`);
  const seen = new Set<string>();
  for (const label of head.labelNames) {
    if (!isLabelName(label)) throw fault(`${head.name}: ${JSON.stringify(label)} is no label name`);
    if (label === 'le' && head.type === 'histogram') throw fault(`${head.name}: le is the histogram's own`);
    if (seen.has(label)) throw fault(`${head.name}: label ${label} is there twice`);
    seen.add(label);
  }
}

function toBounds(name: string, buckets: readonly number[]): Float64Array {
  const ascending = buckets.every(
    (bound, at) => Number.isFinite(bound) && (at === 0 || bound > buckets[at - 1]!),
  );
  if (buckets.length === 0 || !ascending) {
    throw fault(
      `${name}: buckets must be one or more finite numbers, ascending, got [${buckets.join(', ')}]`,
    );
  }
  return Float64Array.from(buckets);
}

function fault(message: string): NimifyError {
  return new NimifyError('INTERNAL', message);
}
