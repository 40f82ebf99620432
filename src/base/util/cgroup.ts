import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a container or a service manager grants this process. */
export interface CgroupLimits {
  /** Processor time, in cores, such as 1.5; undefined: no limit. */
  readonly cores: number | undefined;
  /** Undefined: no limit. */
  readonly memoryBytes: number | undefined;
}

const NO_LIMITS: CgroupLimits = { cores: undefined, memoryBytes: undefined };

/** Version 1 has no word for "no limit", only a number that no machine has: the largest signed 64-bit page count. */
const UNLIMITED_BYTES = 2 ** 60;

/**
 * The limits of Linux's control groups, version 2 or 1 (kernel documentation, admin-guide/cgroup-v2 and
 * cgroup-v1). A group is bound by its parents' limits too, so the smallest up to the root counts. Elsewhere than on
 * Linux there are none. Node 20 does not know the limit on processor time: `os.availableParallelism` is of the
 * affinity mask alone.
 * @param root folder that stands for `/`, for tests
 */
export function readCgroupLimits(root = '/'): CgroupLimits {
  const groups = read(join(root, 'proc/self/cgroup'));
  if (groups === undefined) return NO_LIMITS;
  const mount = join(root, 'sys/fs/cgroup');
  const unified = /^0::(\/.*)$/m.exec(groups)?.[1];
  if (unified !== undefined && read(join(mount, 'cgroup.controllers')) !== undefined) {
    return {
      cores: smallest(mount, unified, (folder) => quotaOf(read(join(folder, 'cpu.max')))),
      memoryBytes: smallest(mount, unified, (folder) => bytesOf(read(join(folder, 'memory.max')))),
    };
  }
  const pathOf = (controller: string) =>
    new RegExp(String.raw`^\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(/.*)$`, 'm').exec(groups)?.[1];
  return {
    cores: smallest(join(mount, 'cpu'), pathOf('cpu'), (folder) => {
      const [quota, period] = ['quota', 'period'].map((name) => read(join(folder, `cpu.cfs_${name}_us`)));
      return quotaOf(quota === undefined ? undefined : `${quota.trim()} ${period}`);
    }),
    memoryBytes: smallest(join(mount, 'memory'), pathOf('memory'), (folder) =>
      bytesOf(read(join(folder, 'memory.limit_in_bytes'))),
    ),
  };
}

/** In a container the path may be that of the host, which is not there: then the mount itself is the group. */
function smallest(
  mount: string,
  path: string | undefined,
  limitOf: (folder: string) => number | undefined,
): number | undefined {
  if (path === undefined) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  let least: number | undefined;
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const limit = limitOf(join(mount, ...parts.slice(0, depth)));
    if (limit !== undefined && (least === undefined || limit < least)) least = limit;
  }
  return least;
}

/** `max 100000` or `150000 100000`: microseconds of processor time in each period. */
function quotaOf(text: string | undefined): number | undefined {
  const [, quota, period] = /^(\d+) (\d+)/.exec(text?.trim() ?? '') ?? [];
  const cores = Number(quota) / Number(period);
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

function bytesOf(text: string | undefined): number | undefined {
  const bytes = /^\d+$/.test(text?.trim() ?? '') ? Number(text) : Number.NaN;
  return bytes < UNLIMITED_BYTES ? bytes : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
