import type { Server } from 'node:net';
import type { Config } from '../../../base/config/load-config.ts';
import type { Listen, ListenAddress, PortFlag } from '../../../protocol/listen.ts';
import { type Answering, type AnswerOf, CHANGES, type Peers } from '../../../protocol/peers.ts';
import { shuttingDown } from '../../../protocol/refusals.ts';
import { type FromServing, fromResult, type Result, type ToServing, toResult } from './messages.ts';
import { type ListeningHandle, type NativeConnection, nativeOf } from './native-handle.ts';

/** What a process that serves has from the one that started it. */
export interface ParentLink {
  /** As that one has read it. */
  config(): Promise<Config>;
  /** Opens the port there; connections are handed over from there. */
  readonly listen: Listen;
  readonly peers: Peers;
  /** Tells that models are loaded. */
  tellLoaded(): void;
}

/** Where the one that started this process is gone it drains: nobody hands it anything any more. */
export function linkToParent(): ParentLink {
  const asked = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  const handles = new Map<PortFlag, ListeningHandle>();
  let lastId = 0;
  let closed = 0;
  let answer: Answering | undefined;

  function tell(message: FromServing): void {
    // It is told by 'disconnect' where there is nobody any more.
    process.send?.(message, undefined, {}, () => {});
  }

  function ask(toMessage: (id: number) => FromServing): Promise<Result> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      if (!process.connected) return reject(shuttingDown());
      asked.set(id, { resolve, reject });
      tell(toMessage(id));
    });
  }

  function countClosed(): void {
    closed += 1;
    if (closed > 1) return;
    setImmediate(() => {
      tell({ kind: 'closed', count: closed });
      closed = 0;
    });
  }

  function take(flag: PortFlag, connection: NativeConnection): void {
    const handle = handles.get(flag);
    if (handle?.onconnection !== undefined) handle.onconnection(0, connection);
    else {
      connection.close();
      countClosed();
    }
  }

  process.on('message', (message: ToServing, connection: unknown) => {
    if (message.kind === 'connection') take(message.flag, connection as NativeConnection);
    else if (message.kind === 'done') {
      asked.get(message.id)?.resolve(message.result);
      asked.delete(message.id);
    } else {
      const { id, topic, question } = message;
      const work = () => {
        if (answer === undefined) throw shuttingDown();
        return answer(topic, question as never);
      };
      void toResult(work).then((result) => tell({ kind: 'answer', id, result }));
    }
  });
  process.once('disconnect', () => {
    for (const { reject } of asked.values()) reject(shuttingDown());
    process.kill(process.pid, 'SIGTERM');
  });

  /** As a server's own port, but that another process accepts for it. */
  function attach(server: Server, flag: PortFlag, address: ListenAddress): Promise<void> {
    const handle: ListeningHandle = {
      listen: () => 0,
      close() {
        handles.delete(flag);
        tell({ kind: 'shut', flag });
      },
      ref() {},
      unref() {},
      getsockname(out) {
        const family = address.host.includes(':') ? 'IPv6' : 'IPv4';
        Object.assign(out, { address: address.host, port: address.port, family });
        return 0;
      },
    };
    handles.set(flag, handle);
    server.prependListener('connection', (socket) => socket.on('close', countClosed));
    server.on('drop', countClosed);
    return new Promise((resolve) => {
      server.once('listening', resolve);
      const native = nativeOf(server);
      native._handle = handle;
      native._listen2(null, -1, -1, undefined);
      tell({ kind: 'open', flag });
    });
  }

  return {
    config: async () => fromResult(await ask((id) => ({ kind: 'config', id }))) as Config,
    async listen(server, host, port, flag) {
      const result = await ask((id) => ({ kind: 'listen', id, flag, at: { host, port } }));
      const address = fromResult(result) as ListenAddress;
      await attach(server, flag, address);
      return address;
    },
    peers: {
      answerWith(answering) {
        answer = answering;
      },
      async ask(topic, question) {
        const result = await ask((id) => ({ kind: 'ask', id, topic, question }));
        const [own, ...others] = fromResult(result) as readonly [Result, ...Result[]];
        const first = fromResult(own);
        // What another refuses to tell it does not know of; what it refuses to do has not been done.
        const told = CHANGES.has(topic) ? others : others.filter((other) => 'value' in other);
        return [first, ...told.map(fromResult)] as AnswerOf<typeof topic>[];
      },
    },
    tellLoaded: () => tell({ kind: 'loaded' }),
  };
}
