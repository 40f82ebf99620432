import { readFileSync } from 'node:fs';
import { openRaw, type RawAnswer, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { type Running, startNimify } from '../support/nimify.ts';

/** Test support: `nimify serve` in several processes. */
export interface Processes {
  readonly running: Running;
  readonly url: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsUrl: string;
  /** The numbers of those that serve. */
  serving(): readonly number[];
  /** Clients of which each is another process's, as many as there are. */
  clients(): Promise<readonly Client[]>;
  /** The sum of the series that begin so. */
  metric(series: string): Promise<number>;
}

/** A connection that is kept: all that is asked on it is asked of one process. */
export interface Client {
  ask(method: 'GET' | 'POST', path: string, body?: string): Promise<RawAnswer>;
  close(): void;
}

export const PROCESSES = 2;
const PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];

const started: Running[] = [];
const clients: Client[] = [];

export async function closeProcesses(): Promise<void> {
  for (const client of clients.splice(0)) client.close();
  for (const running of started.splice(0)) {
    running.process.kill('SIGKILL');
    await running.finished;
  }
}

export function startProcesses(...flags: readonly string[]): Running {
  const running = startNimify(['serve', ...flags, '--processes', String(PROCESSES), ...PORTS]);
  started.push(running);
  return running;
}

/** Resolves when all serve. */
export async function serveProcesses(...flags: readonly string[]): Promise<Processes> {
  const running = startProcesses(...flags);
  const [, url = ''] = await running.printed(/serves .* at (\S+)/);
  const [, grpcPort = ''] = await running.printed(/^grpc +\S+:(\d+)/m);
  const [, metricsUrl = ''] = await running.printed(/^metrics +(\S+)$/m);
  const { pid } = running.process;
  const httpPort = Number(new URL(url).port);

  async function metric(series: string): Promise<number> {
    const text = await (await fetch(metricsUrl)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(series))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async function connect(): Promise<Client> {
    const raw = await openRaw(httpPort);
    const client: Client = {
      ask(method, path, body) {
        raw.send(
          rawRequest(method, path, body === undefined ? {} : { 'content-type': 'application/json' }, body),
        );
        return raw.next();
      },
      close: () => raw.socket.destroy(),
    };
    clients.push(client);
    return client;
  }

  await until(async () => (await metric('nimify_processes ')) === PROCESSES);
  return {
    running,
    url,
    httpPort,
    grpcPort: Number(grpcPort),
    metricsUrl,
    serving: () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number),
    async clients() {
      const all: Client[] = [];
      // One after the other: each goes to who has the fewest.
      for (let i = 0; i < PROCESSES; i += 1) all.push(await connect());
      return all;
    },
    metric,
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}
