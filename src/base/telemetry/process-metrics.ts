import { readdirSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Gauge, MetricsRegistry } from './metrics.ts';

export interface ProcessMetrics {
  /** Stops the event-loop monitor. */
  stop(): void;
}

const RESOLUTION_MS = 10;

const DELAY_STATS = {
  mean: (histogram: IntervalHistogram) => histogram.mean,
  p50: (histogram: IntervalHistogram) => histogram.percentile(50),
  p90: (histogram: IntervalHistogram) => histogram.percentile(90),
  p99: (histogram: IntervalHistogram) => histogram.percentile(99),
  max: (histogram: IntervalHistogram) => histogram.max,
} as const;

/** Registers what the process itself can tell: memory, CPU, event-loop delay, open files, nimify's `version`. */
export function registerProcessMetrics(metrics: MetricsRegistry, version: string): ProcessMetrics {
  registerConstants(metrics, version);
  registerMemory(metrics);
  registerCpu(metrics);
  if (process.platform === 'linux') registerOpenFiles(metrics);
  return registerEventLoopDelay(metrics);
}

function registerConstants(metrics: MetricsRegistry, version: string): void {
  metrics
    .gauge('nimify_build_info', 'Always 1; the labels tell the versions.', ['version', 'node'])
    .labels(version, process.version)
    .set(1);
  metrics
    .gauge('process_start_time_seconds', 'Start of the process, in seconds since 1970.')
    .labels()
    .set(Math.round(performance.timeOrigin) / 1000);
}

function registerMemory(metrics: MetricsRegistry): void {
  const resident = metrics.gauge('process_resident_memory_bytes', 'Resident memory.').labels();
  const heapUsed = metrics.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.').labels();
  const heapTotal = metrics.gauge('nodejs_heap_size_total_bytes', 'JavaScript heap reserved.').labels();
  const external = metrics
    .gauge('nodejs_external_memory_bytes', 'Memory outside the heap that objects in it own.')
    .labels();
  metrics.onCollect(() => {
    const usage = process.memoryUsage();
    resident.set(usage.rss);
    heapUsed.set(usage.heapUsed);
    heapTotal.set(usage.heapTotal);
    external.set(usage.external);
  });
}

function registerCpu(metrics: MetricsRegistry): void {
  const cpu = metrics.counter('process_cpu_seconds', 'CPU time, user and system.').labels();
  let countedUs = 0;
  metrics.onCollect(() => {
    const { user, system } = process.cpuUsage();
    cpu.inc((user + system - countedUs) / 1e6);
    countedUs = user + system;
  });
}

function registerOpenFiles(metrics: MetricsRegistry): void {
  const open = metrics.gauge('process_open_fds', 'Open file descriptors.').labels();
  metrics.onCollect(() => {
    const count = countOpenFiles();
    if (count !== undefined) open.set(count);
  });
}

/** Undefined where /proc is not mounted or every descriptor is in use. */
function countOpenFiles(): number | undefined {
  try {
    // The listing itself holds one descriptor.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/**
 * Node's monitor measures the time between two ticks of a timer, so a loop that is never late reads as the
 * timer's own interval: that is taken off. The window is the time since the scrape before.
 */
function registerEventLoopDelay(metrics: MetricsRegistry): ProcessMetrics {
  const family = metrics.gauge(
    'nimify_event_loop_delay_seconds',
    'How late the event loop ran, over the time since the previous scrape.',
    ['stat'],
  );
  const gauges = Object.entries(DELAY_STATS).map(
    ([stat, read]): { gauge: Gauge; read: (histogram: IntervalHistogram) => number } => ({
      gauge: family.labels(stat),
      read,
    }),
  );
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  metrics.onCollect(() => {
    if (monitor.count === 0) return;
    for (const { gauge, read } of gauges) gauge.set(Math.max(0, read(monitor) / 1e9 - RESOLUTION_MS / 1e3));
    monitor.reset();
  });
  return { stop: () => void monitor.disable() };
}
