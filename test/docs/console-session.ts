import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConsoleBlock, fits, type Step } from './console-blocks.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 60_000;

/** A shell in the checkout that does what a document says and compares. */
export interface ConsoleSession {
  /** Throws where the output differs, with both. */
  play(block: ConsoleBlock): Promise<void>;
  /** Ends the server if one still runs. */
  close(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  printed: string;
}

/**
 * Servers get free ports instead of the documented 8000, 8001 and 8002, so that documents can be played while something
 * else listens there; commands and output are translated.
 */
export async function createConsoleSession(): Promise<ConsoleSession> {
  const [http, grpc, metrics] = await freePorts();
  const ports = { http, grpc, metrics };
  let server: Running | undefined;

  async function play({ kind, steps }: ConsoleBlock): Promise<void> {
    for (const step of steps) {
      if (kind === 'server') await startServer(step);
      else if (kind === 'stop') await stopServer(step);
      else await runToEnd(step);
    }
  }

  async function startServer(step: Step): Promise<void> {
    await close();
    server = launch(step.command);
    await until(server, step);
  }

  async function stopServer(step: Step): Promise<void> {
    if (server === undefined) throw new Error('no server runs');
    const stopping = server;
    stopping.printed = '';
    interrupt(stopping.child, 'SIGINT');
    await ended(stopping);
    server = undefined;
    compare(step, stopping.printed);
    const { exitCode, signalCode } = stopping.child;
    // Between npx and the server stands a shell, which dies of the signal while the server ends in good order.
    if (exitCode !== 0 && signalCode !== 'SIGINT')
      throw new Error(`it ended with ${exitCode ?? signalCode}, not 0`);
    if (!stopping.printed.includes('draining')) throw new Error(`it did not drain: ${stopping.printed}`);
  }

  async function runToEnd(step: Step): Promise<void> {
    const running = launch(step.command);
    await ended(running);
    compare(step, toDocumented(running.printed));
  }

  function launch(command: string): Running {
    // A process group of its own, so that Ctrl-C can reach all of it, as a terminal's does.
    const child = spawn('bash', ['-c', toActual(command)], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running: Running = { child, printed: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        running.printed += text;
      });
    }
    return running;
  }

  async function until(running: Running, step: Step): Promise<void> {
    const giveUpAt = Date.now() + TIMEOUT_MS;
    while (!fits(toDocumented(running.printed), step.output)) {
      if (running.child.exitCode !== null || Date.now() > giveUpAt)
        compare(step, toDocumented(running.printed));
      await sleep(50);
    }
  }

  async function close(): Promise<void> {
    if (server === undefined) return;
    const stopping = server;
    server = undefined;
    interrupt(stopping.child, 'SIGTERM');
    await ended(stopping);
  }

  function toActual(command: string): string {
    const flags = `--http-port ${ports.http} --grpc-port ${ports.grpc} --metrics-port ${ports.metrics}`;
    return command
      .replaceAll(/\b8000\b/g, String(ports.http))
      .replaceAll(/\b8001\b/g, String(ports.grpc))
      .replaceAll(/\b8002\b/g, String(ports.metrics))
      .replace(/^npm start( --)?/, `npm start -- ${flags}`)
      .replace(/^npx nimify serve/, `npx nimify serve ${flags}`);
  }

  function toDocumented(printed: string): string {
    return printed
      .replaceAll(String(ports.http), '8000')
      .replaceAll(String(ports.grpc), '8001')
      .replaceAll(String(ports.metrics), '8002');
  }

  return { play, close };
}

function compare(step: Step, printed: string): void {
  if (fits(printed, step.output)) return;
  throw new Error(
    `$ ${step.command}\n--- the document shows\n${step.output.join('\n')}\n--- it printed\n${printed}`,
  );
}

async function ended({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => interrupt(child, 'SIGKILL'), TIMEOUT_MS);
  await once(child, 'close');
  clearTimeout(timer);
}

function interrupt({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Held all at once, so that none is given twice. */
async function freePorts(): Promise<[number, number, number]> {
  const probes = [createServer(), createServer(), createServer()] as const;
  await Promise.all(probes.map((probe) => once(probe.listen(0, '127.0.0.1'), 'listening')));
  const [http, grpc, metrics] = probes;
  const ports: [number, number, number] = [portOf(http), portOf(grpc), portOf(metrics)];
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  return ports;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
