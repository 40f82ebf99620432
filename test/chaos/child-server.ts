import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import type { ServerOptions } from '../../src/server.ts';

const PROGRAM = fileURLToPath(new URL('./fixtures/server.mjs', import.meta.url));

/** A port as /proc/net/tcp writes it (proc(5)). */
const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');

export interface ChildServer {
  /** Set once it is ready: read it inside a test. */
  readonly url: string;
  readonly port: number;
  /** Where there is gRPC. */
  readonly grpcPort: number;
  /** False once the process has ended. */
  readonly isAlive: boolean;
  /** Whether the server holds the connection that comes from this port; a client that does not read cannot tell. */
  holds(clientPort: number): boolean;
  /** Memory that the process holds now, in MiB. */
  residentMib(): number;
  /** Lets `peakMib` start anew. */
  forgetPeak(): void;
  /** Most memory that the process has held since its start or `forgetPeak`, in MiB. */
  peakMib(): number;
  /** Processor time that the process has used, in seconds. */
  cpuSeconds(): number;
}

export interface ChildServerOptions
  extends Pick<ServerOptions, 'models' | 'http' | 'grpcPort' | 'engine' | 'maxMemoryBytes'> {
  /** `ulimit -n` of the process. */
  readonly openFiles?: number;
}

/** Runs a server in a process of its own, with limits and memory of its own, during the `describe` it is called in. */
export function childServer({ openFiles, ...options }: ChildServerOptions): ChildServer {
  let child: ChildProcess | undefined;
  let url = '';
  let grpcAddress = '';

  beforeAll(async () => {
    const command = [process.execPath, PROGRAM, JSON.stringify(options)];
    const limit = openFiles === undefined ? ':' : `ulimit -n ${openFiles}`;
    child = spawn('sh', ['-c', `${limit} && exec "$@"`, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout! })) {
      [url = '', grpcAddress = ''] = line.split(' ');
      break;
    }
  });
  afterAll(async () => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  });

  const proc = (file: string) => `/proc/${child?.pid}/${file}`;
  function statusMib(field: string): number {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(proc('status'), 'utf8'));
    return Number(line?.[1]) / 1024;
  }

  return {
    get url() {
      return url;
    },
    get port() {
      return Number(new URL(url).port);
    },
    get grpcPort() {
      return Number(grpcAddress.split(':').at(-1));
    },
    get isAlive() {
      return child?.exitCode === null && child.signalCode === null;
    },
    holds(clientPort) {
      const established = `${hex(this.port)} 0100007F:${hex(clientPort)} 01`;
      return readFileSync('/proc/net/tcp', 'utf8').includes(established);
    },
    residentMib: () => statusMib('VmRSS'),
    forgetPeak: () => writeFileSync(proc('clear_refs'), '5'),
    peakMib: () => statusMib('VmHWM'),
    cpuSeconds() {
      // proc(5), stat: after the name come the state and, as 14th and 15th field, user and system time in ticks.
      const fields = readFileSync(proc('stat'), 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
  };
}
