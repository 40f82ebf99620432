/**
 * Gauges of which the sum says nothing: what is true of all processes at once, and what is a worst case. All others are
 * amounts, which add up as counters and histograms do.
 */
const LARGEST: ReadonlySet<string> = new Set([
  'nimify_build_info',
  'nimify_busy_poll_time_ratio',
  'nimify_event_loop_delay_seconds',
  'nimify_model_outdated',
  'nimify_slo_burn_rate',
  'nimify_slo_objective_ratio',
]);
const SMALLEST: ReadonlySet<string> = new Set([
  'nimify_slo_budget_remaining_ratio',
  'process_start_time_seconds',
]);

/** Series of one family, by name and labels. */
interface Family {
  readonly head: string;
  readonly series: Map<string, number>;
}

/**
 * The metrics of several processes as those of one, in the text format that `MetricsRegistry.render` writes. Series that
 * only some have are as these say.
 */
export function sumMetrics(texts: readonly string[]): string {
  const families = new Map<string, Family>();
  for (const text of texts) addTo(families, text);
  let sum = '';
  for (const { head, series } of families.values()) {
    sum += head;
    for (const [name, value] of series) sum += `${name} ${toText(value)}\n`;
  }
  return sum;
}

/** What only grows, of what a process counted: true of it also when it has ended. */
export function countersOf(text: string): string {
  return text
    .split(/^(?=# HELP )/m)
    .filter((family) => /^# TYPE \S+ (counter|histogram)$/m.test(family))
    .join('');
}

function addTo(families: Map<string, Family>, text: string): void {
  let family: Family | undefined;
  let join = add;
  let help = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) help = `${line}\n`;
    else if (line.startsWith('# TYPE ')) {
      const name = line.split(' ', 3)[2] ?? '';
      family = families.get(name) ?? { head: `${help}${line}\n`, series: new Map() };
      families.set(name, family);
      join = LARGEST.has(name) ? Math.max : SMALLEST.has(name) ? Math.min : add;
    } else if (line !== '' && family !== undefined) {
      // Label values may hold spaces, a value does not.
      const at = line.lastIndexOf(' ');
      const name = line.slice(0, at);
      const value = Number(line.slice(at + 1).replace('Inf', 'Infinity'));
      const before = family.series.get(name);
      family.series.set(name, before === undefined ? value : join(before, value));
    }
  }
}

function add(one: number, other: number): number {
  return one + other;
}

function toText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
