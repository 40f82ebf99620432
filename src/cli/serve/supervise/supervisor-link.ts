import type { SendHandle } from 'node:child_process';
import type { AddressInfo, Server } from 'node:net';
import type { Config } from '../../../base/config/load-config.ts';
import { type Clock, systemClock } from '../../../base/util/clock.ts';
import { type Listen, type ListenAddress, listen, type PortFlag } from '../../../protocol/listen.ts';
import { type Answering, CHANGES, type Peers } from '../../../protocol/peers.ts';
import { shuttingDown } from '../../../protocol/refusals.ts';
import type { Change } from '../processes/changes.ts';
import { type NativeConnection, nativeOf } from '../processes/native-handle.ts';
import type { FromServer, Inheritance } from './messages.ts';
import type { SupervisedPlace } from './supervised-place.ts';

/** What a server has from the process that watches over it. */
export interface SupervisorLink {
  /** What was of the server before this one; undefined: there was none. */
  inherit(): Promise<Inheritance | undefined>;
  /**
   * Opens ports, or takes up those of the server before. Connections are accepted here in either case; those that come
   * to a server that takes another's place are not read before it is ready, or five seconds have passed: mostly they are
   * answered then, and not refused.
   */
  readonly listen: Listen;
  /** This server alone; what is changed is told. */
  readonly peers: Peers;
  /** Makes the changes that were made to the one before. */
  repeat(change: Change): Promise<void>;
  /** From now on another server is started where this one dies. */
  tellReady(config: Config): void;
}

const LONGEST_DEFERRAL_MS = 5000;

/** Where the other one is gone this one drains: nobody would hear of it any more. */
export function linkToSupervisor({ restarts, ports }: SupervisedPlace): SupervisorLink {
  const open = new Map<PortFlag, Server>();
  const deferred: (() => void)[] = [];
  let answer: Answering = () => {
    throw shuttingDown();
  };
  const inheritance =
    restarts === 0
      ? Promise.resolve(undefined)
      : new Promise<Inheritance>((resolve) => process.once('message', resolve as (message: unknown) => void));
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

  function tell(message: FromServer, port?: SendHandle): void {
    // It is told by 'disconnect' where there is nobody any more.
    process.send?.(message, port, {}, () => {});
  }

  /** Whoever holds it lets it go when it is closed here: connections would wait there for nobody. */
  function hold(flag: PortFlag, server: Server): void {
    const handle = nativeOf(server)._handle;
    if (handle === null) return;
    if (ports[flag] === undefined) tell({ kind: 'port', flag }, handle as unknown as SendHandle);
    const close = handle.close;
    handle.close = (...callbacks: []) => {
      tell({ kind: 'shut', flag });
      close.apply(handle, callbacks);
    };
  }

  return {
    inherit: () => inheritance,
    async listen(server, host, port, flag) {
      const fd = ports[flag];
      open.set(flag, server);
      if (fd === undefined) return listen(server, host, port, flag);
      const address = await takeUp(server, fd);
      deferred.push(deferConnections(server, systemClock));
      return address;
    },
    peers: {
      answerWith(answering) {
        answer = answering;
      },
      async ask(topic, question) {
        const value = await answer(topic, question);
        if (CHANGES.has(topic)) tell({ kind: 'changed', change: { topic, question } });
        return [value];
      },
    },
    async repeat({ topic, question }) {
      await answer(topic, question as never);
    },
    tellReady(config) {
      for (const [flag, server] of open) hold(flag, server);
      open.clear();
      for (const letIn of deferred) letIn();
      tell({ kind: 'ready', config });
    },
  };
}

/** As Node does it, but that a connection that came is not looked at before the returned function is called. */
function deferConnections(server: Server, clock: Clock): () => void {
  const handle = nativeOf(server)._handle!;
  const take = handle.onconnection!;
  const waiting: NativeConnection[] = [];
  handle.onconnection = (status, connection) => {
    if (connection === undefined) take.call(handle, status, connection);
    else waiting.push(connection);
  };
  function letIn(): void {
    timer.cancel();
    handle.onconnection = take;
    for (const connection of waiting.splice(0)) take.call(handle, 0, connection);
  }
  const timer = clock.setTimer(letIn, LONGEST_DEFERRAL_MS);
  return letIn;
}

function takeUp(server: Server, fd: number): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      const { address: host, port } = server.address() as AddressInfo;
      resolve({ host, port });
    });
  });
}
