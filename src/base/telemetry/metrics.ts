/**
 * The metrics facade: families of pre-bound series over typed arrays, rendered on scrape. Binding a series
 * (`labels`) costs a lookup and is done once; counting and observing allocate nothing.
 */
export interface Counter {
  inc(by?: number): void;
}

export interface Gauge {
  set(value: number): void;
  add(by: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

export interface Family<Series> {
  /** The series of these label values, in the order of the family's label names; made on first use. */
  labels(...values: readonly string[]): Series;
}

export interface MetricsRegistry {
  /** `name` without `_total`, which the text format adds. */
  counter(name: string, help: string, labelNames?: readonly string[]): Family<Counter>;
  gauge(name: string, help: string, labelNames?: readonly string[]): Family<Gauge>;
  /** `buckets`: ascending upper bounds without +Inf. */
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Family<Histogram>;
  /** Called before each render, to set gauges that are cheap to read and dear to keep current. */
  onCollect(collect: () => void): void;
  /** The Prometheus text exposition format, version 0.0.4. */
  render(): string;
}
