import type { ConnectionOptions } from 'node:tls';
import type { HttpOptions } from '../../../src/protocol/http/deps.ts';
import { createFakeDeps, echo, type FakeServedOptions } from '../../../src/protocol/http/fake-registry.ts';
import { createHttpServer, type HttpServer } from '../../../src/protocol/http/server.ts';
import { ROWS_OF_FOUR } from '../../../src/registry/fake-served.ts';
import { createTlsFixture } from '../../support/tls-fixture.ts';

/** Who reads the connections, how, and whether the model answers before it returns: all must come to the same. */
export interface Reading {
  readonly name: string;
  readonly reader: HttpOptions['reader'];
  readonly model: FakeServedOptions;
  /** Over TLS, which has handshakes that take their time. Default false. */
  readonly isSecure?: boolean;
}

const LATER: FakeServedOptions = { name: 'rows' };
const AT_ONCE: FakeServedOptions = { name: 'rows', inferNow: (request) => echo(request, ROWS_OF_FOUR) };

export const READINGS: readonly Reading[] = [
  { name: 'read by node:http', reader: 'node', model: LATER },
  { name: 'read by node:http, answered at once', reader: 'node', model: AT_ONCE },
  { name: 'read by the own reader', reader: 'own', model: LATER },
  { name: 'read by the own reader, answered at once', reader: 'own', model: AT_ONCE },
  { name: 'read by node:http over TLS', reader: 'node', model: LATER, isSecure: true },
  { name: 'read by the own reader over TLS', reader: 'own', model: AT_ONCE, isSecure: true },
];

/** A server that reads so, and how a client gets to it. */
export interface ReadingServer {
  readonly server: HttpServer;
  readonly port: number;
  /** Undefined: in clear text. */
  readonly secure: ConnectionOptions | undefined;
  close(): Promise<void>;
}

export async function serveReading(
  { reader, model, isSecure = false }: Reading,
  options: Partial<HttpOptions> = {},
): Promise<ReadingServer> {
  const fixture = isSecure ? createTlsFixture() : undefined;
  const tls = await fixture?.serverTls();
  const server = createHttpServer({ ...createFakeDeps([model], { ...options, reader }), tls });
  const { port } = await server.listen('127.0.0.1', 0);
  return {
    server,
    port,
    secure: fixture && { ca: fixture.ca.cert },
    async close() {
      tls?.stop();
      fixture?.remove();
      await server.close({ graceMs: 0 });
    },
  };
}
