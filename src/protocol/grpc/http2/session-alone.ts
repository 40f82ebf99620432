import { type AddressInfo, createServer } from 'node:net';
import { systemClock } from '../../../base/util/clock.ts';
import { Session, type SessionEvents, type SessionOptions } from './session.ts';

/** Content of one stream that may come to such a session before any of it was taken. */
export const WINDOW_BYTES = 70_000;

export interface SessionAlone {
  readonly port: number;
  /** Of the connection that came last. */
  readonly session: () => Session | undefined;
  close(): void;
}

/**
 * Test support: sessions without gRPC above them, one for each connection. A fault of ours is thrown, and fails the
 * test run.
 */
export async function serveSessions(
  onStream: SessionEvents['onStream'],
  options: Partial<SessionOptions> = {},
): Promise<SessionAlone> {
  const sessions: Session[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const session = new Session(
      socket,
      {
        clock: systemClock,
        maxConcurrentStreams: 100,
        streamWindowBytes: WINDOW_BYTES,
        connectionWindowBytes: 200_000,
        maxHeaderListBytes: 8192,
        ...options,
      },
      {
        onStream,
        onGreeted() {},
        onPing() {},
        onClose() {},
        onFault(thrown) {
          throw thrown;
        },
      },
    );
    sessions.push(session);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    session: () => sessions.at(-1),
    close() {
      for (const { socket } of sessions) socket.destroy();
      server.close();
    },
  };
}
