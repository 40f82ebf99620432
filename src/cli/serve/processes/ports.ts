import { createServer, type Server } from 'node:net';
import type { Logger } from '../../../base/telemetry/log.ts';
import type { Clock } from '../../../base/util/clock.ts';
import { type ListenAddress, listen, type PortFlag } from '../../../protocol/listen.ts';
import { leastLoaded } from './balance.ts';
import { type NativeConnection, nativeOf } from './native-handle.ts';
import type { ServingProcess } from './serving-process.ts';

/** The ports of the processes that serve: opened once, in the process that started them. */
export interface Ports {
  /**
   * Opens the port where it is not open yet.
   * @throws NimifyError as `listen`
   */
  open(flag: PortFlag, at: ListenAddress): Promise<ListenAddress>;
  /** The process takes connections of it from now on. */
  admit(flag: PortFlag, process: ServingProcess): void;
  /** It takes no more. */
  shut(flag: PortFlag, process: ServingProcess): void;
  /** Gives what `process` was given and did not get to others; it takes no more. */
  left(process: ServingProcess): void;
  close(): Promise<void>;
}

interface Port {
  readonly server: Server;
  readonly address: Promise<ListenAddress>;
  readonly takers: Set<ServingProcess>;
  /** Connections that nobody can take now, the oldest first. */
  readonly waiting: NativeConnection[];
}

/** As long as the system's own queue. */
const MOST_WAITING = 511;
const LOG_EVERY_NS = 1e9;

export function createPorts({ clock, log }: { readonly clock: Clock; readonly log: Logger }): Ports {
  const ports = new Map<PortFlag, Port>();
  let loggedAtNs = Number.NEGATIVE_INFINITY;

  function create(flag: PortFlag, { host, port }: ListenAddress): Port {
    const server = createServer();
    const address = listen(server, host, port, flag);
    const created: Port = { server, address, takers: new Set(), waiting: [] };
    address.then(
      () => {
        server.on('error', (err) => log.warn({ err }, 'connections cannot be accepted'));
        // No stream is made here of what another process reads.
        nativeOf(server)._handle!.onconnection = (status, connection) => {
          if (connection === undefined) tellOnce(status);
          else give(flag, connection);
        };
      },
      () => ports.delete(flag),
    );
    return created;
  }

  function tellOnce(status: number): void {
    const nowNs = clock.nowNs();
    if (nowNs - loggedAtNs < LOG_EVERY_NS) return;
    loggedAtNs = nowNs;
    log.warn(
      { status },
      'connections cannot be accepted; raise `ulimit -n` if it is for want of descriptors',
    );
  }

  /** To the least loaded of those that are ready; where none is, of those that only say that they are not. */
  function give(flag: PortFlag, connection: NativeConnection): void {
    const port = ports.get(flag);
    const takers = [...(port?.takers ?? [])];
    const ready = takers.filter(({ isReady }) => isReady);
    const taker = leastLoaded(ready.length > 0 ? ready : takers);
    if (taker !== undefined) taker.give(flag, connection);
    else if (port !== undefined && port.waiting.length < MOST_WAITING) port.waiting.push(connection);
    else connection.close();
  }

  function offer(): void {
    for (const [flag, { waiting, takers }] of ports) {
      if (takers.size > 0) for (const connection of waiting.splice(0)) give(flag, connection);
    }
  }

  return {
    open(flag, at) {
      const port = ports.get(flag) ?? create(flag, at);
      ports.set(flag, port);
      return port.address;
    },
    admit(flag, process) {
      ports.get(flag)?.takers.add(process);
      offer();
    },
    shut(flag, process) {
      ports.get(flag)?.takers.delete(process);
    },
    left(process) {
      for (const { takers } of ports.values()) takers.delete(process);
      for (const [flag, connection] of process.takeBack()) give(flag, connection);
    },
    async close() {
      for (const { server, waiting } of ports.values()) {
        for (const connection of waiting.splice(0)) connection.close();
        if (server.listening) await new Promise<unknown>((resolve) => server.close(resolve));
      }
      ports.clear();
    },
  };
}
