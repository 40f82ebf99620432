/**
 * Tests that need more than npm installs name it here. Where it is missing they are skipped with one line that
 * says what is missing and how to get it; with NIMIFY_TEST_REQUIRE=all (as in CI) missing is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

interface Requirement {
  readonly what: string;
  readonly howToGet: string;
  isThere(): boolean;
}

/** The data folder; vitest.config.ts makes the path absolute. */
export const DATA = process.env.NIMIFY_DATA ?? '../shared/data';
export const MODELS = join(DATA, 'models');

/** Names of the browser, in order of preference; NIMIFY_CHROMIUM overrides them. */
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const REQUIREMENTS = {
  data: {
    what: 'the data folder',
    howToGet: `set NIMIFY_DATA to a folder with models/ in it (now ${DATA})`,
    isThere: () => existsSync(MODELS),
  },
  curl: {
    what: 'curl',
    howToGet: 'apt-get install curl',
    isThere: () => runs('curl', ['--version']),
  },
  chromium: {
    what: 'Chromium',
    howToGet: 'apt-get install chromium, or set NIMIFY_CHROMIUM to its path',
    isThere: () => chromiumPath() !== undefined,
  },
  python: {
    what: 'Python 3.9 or newer',
    howToGet: 'apt-get install python3',
    isThere: () => runs('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']),
  },
  numpy: {
    what: 'NumPy',
    howToGet: `python3 -m venv .venv && .venv/bin/pip install numpy, or set NIMIFY_TEST_PYTHON to a Python that has it`,
    isThere: () => runs(pythonPath(), ['-c', 'import numpy']),
  },
  requests: {
    what: "Python's requests",
    howToGet: 'python3 -m venv .venv && .venv/bin/pip install -r test/client/requirements.txt',
    isThere: () => runs(pythonPath(), ['-c', 'import requests']),
  },
  tritonclient: {
    what: "Triton's Python client",
    howToGet: 'python3 -m venv .venv && .venv/bin/pip install -r test/interop/requirements.txt',
    isThere: () => runs(pythonPath(), ['-c', 'import tritonclient.http, tritonclient.grpc.aio, numpy']),
  },
  kserve: {
    what: "KServe's Python SDK",
    howToGet: 'python3 -m venv .venv && .venv/bin/pip install -r test/interop/requirements.txt',
    isThere: () => runs(pythonPath(), ['-c', 'import kserve, tritonclient.utils']),
  },
  'gRPC for Python': {
    what: "gRPC's Python packages for reflection and health",
    howToGet: 'python3 -m venv .venv && .venv/bin/pip install -r test/interop/requirements.txt',
    isThere: () => runs(pythonPath(), ['-c', 'import grpc_reflection, grpc_health, tritonclient.utils']),
  },
  grpcurl: {
    what: 'grpcurl',
    howToGet: 'GOBIN=$PWD/.venv/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4',
    isThere: () => runs(peerPath('grpcurl'), ['--version']),
  },
  'grpc-health-probe': {
    what: 'grpc-health-probe',
    howToGet: 'GOBIN=$PWD/.venv/bin go install github.com/grpc-ecosystem/grpc-health-probe@v0.4.61',
    isThere: () => runs(peerPath('grpc-health-probe'), ['-version']),
  },
  h2spec: {
    what: 'h2spec',
    howToGet: 'GOBIN=$PWD/.venv/bin go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible',
    isThere: () => runs(peerPath('h2spec'), ['--version']),
  },
  promtool: {
    what: "Prometheus's promtool",
    howToGet: 'apt-get install prometheus',
    isThere: () => runs(peerPath('promtool'), ['--version']),
  },
  alertmanager: {
    what: 'Alertmanager',
    howToGet: 'apt-get install prometheus-alertmanager',
    isThere: () => runs(peerPath('prometheus-alertmanager'), ['--version']),
  },
} as const satisfies Record<string, Requirement>;

export type RequirementName = keyof typeof REQUIREMENTS;

/** Like `describe`, for tests that need something; the body is not even called without it. */
export function describeWith(names: readonly RequirementName[], title: string, body: () => void): void {
  const missing = names.map((name): Requirement => REQUIREMENTS[name]).find((need) => !need.isThere());
  if (missing === undefined) {
    describe(title, body);
    return;
  }
  const reason = `needs ${missing.what}: ${missing.howToGet}`;
  it(title, (context) => {
    if (process.env.NIMIFY_TEST_REQUIRE === 'all') throw new Error(reason);
    context.skip(reason);
  });
}

/** The browser's executable, or undefined. */
export function chromiumPath(): string | undefined {
  const names = process.env.NIMIFY_CHROMIUM === undefined ? CHROMIUM_NAMES : [process.env.NIMIFY_CHROMIUM];
  return names.find((name) => runs(name, ['--version']));
}

/** Python of the checkout's own environment if there is one, else the system's; NIMIFY_TEST_PYTHON overrides both. */
export function pythonPath(): string {
  if (process.env.NIMIFY_TEST_PYTHON !== undefined) return process.env.NIMIFY_TEST_PYTHON;
  const own = peerPath('python');
  return own === 'python' ? 'python3' : own;
}

/** A program of the checkout's own environment, or, where it has none, of the system's by its name. */
export function peerPath(name: string): string {
  const own = join(import.meta.dirname, '..', '.venv', 'bin', name);
  return existsSync(own) ? own : name;
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
