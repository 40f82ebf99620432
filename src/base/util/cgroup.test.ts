import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCgroupLimits } from './cgroup.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nimify-cgroup-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

const NONE = { cores: undefined, memoryBytes: undefined };

describe('readCgroupLimits', () => {
  it('finds none where there is no such thing', () => {
    expect(readCgroupLimits(root)).toEqual(NONE);
  });

  it('reads version 2, the smallest of a group and its parents', () => {
    put({
      'proc/self/cgroup': '0::/pods/one',
      'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      'sys/fs/cgroup/pods/cpu.max': '150000 100000',
      'sys/fs/cgroup/pods/one/cpu.max': 'max 100000',
      'sys/fs/cgroup/pods/memory.max': 'max',
      'sys/fs/cgroup/pods/one/memory.max': '536870912',
    });
    expect(readCgroupLimits(root)).toEqual({ cores: 1.5, memoryBytes: 2 ** 29 });
  });

  it('reads version 2 in a container, where the group is the mount', () => {
    put({
      'proc/self/cgroup': '0::/../../elsewhere',
      'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      'sys/fs/cgroup/cpu.max': '200000 100000',
      'sys/fs/cgroup/memory.max': 'max',
    });
    expect(readCgroupLimits(root)).toEqual({ cores: 2, memoryBytes: undefined });
  });

  it('reads version 1, whose numbers for "no limit" are none', () => {
    const cpu = 'sys/fs/cgroup/cpu/docker/x';
    put({
      'proc/self/cgroup': '11:cpuset:/\n5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n1:name=systemd:/',
      [`${cpu}/cpu.cfs_quota_us`]: '50000',
      [`${cpu}/cpu.cfs_period_us`]: '100000',
      'sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '9223372036854771712',
    });
    expect(readCgroupLimits(root)).toEqual({ cores: 0.5, memoryBytes: undefined });
    put({
      [`${cpu}/cpu.cfs_quota_us`]: '-1',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '1000000',
    });
    expect(readCgroupLimits(root)).toEqual({ cores: undefined, memoryBytes: 1_000_000 });
  });
});
