import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { METRICS_CONTENT_TYPE } from '../../base/telemetry/exposition.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { ConnectionRoom } from '../connection-room.ts';
import { type Listen, type ListenAddress, listen as openHere } from '../listen.ts';

export interface MetricsServer {
  /**
   * Port 0 picks a free one.
   * @throws NimifyError CONFIG_INVALID when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<ListenAddress>;
  close(): Promise<void>;
}

interface MetricsSource {
  render(): string | Promise<string>;
}

export interface MetricsServerDeps {
  /** What writes them; it may have to ask others. */
  readonly metrics: MetricsSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connectionRoom: ConnectionRoom;
  /** How the port is opened. Default: by this process. */
  readonly listen?: Listen;
}

/** Scrapers come every few seconds, and what fails once mostly fails each time: one line in so long tells it. */
const LOG_EVERY_NS = 60e9;

/** A port of its own for scrapers: `/metrics` and `/health`, so that it need not be open to clients. */
export function createMetricsServer({
  metrics,
  clock,
  log,
  connectionRoom,
  listen = openHere,
}: MetricsServerDeps): MetricsServer {
  let loggedAtNs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;

  function onFailure(err: unknown): void {
    unlogged += 1;
    if (clock.nowNs() - loggedAtNs < LOG_EVERY_NS) return;
    log.error({ err, scrapes: unlogged }, 'metrics could not be collected; scrapes are answered with 500');
    loggedAtNs = clock.nowNs();
    unlogged = 0;
  }

  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics' && path !== '/health') {
      sendText(response, 404, 'Here are /metrics and /health.\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      sendText(response, 405, `${path} takes GET.\n`);
    } else if (path === '/health') {
      sendText(response, 200, 'ok\n');
    } else void sendMetrics(response, metrics, onFailure);
  });
  const door = connectionRoom.open(server, () => server.closeIdleConnections());
  server.on('connection', (socket: Socket) => {
    door.entered();
    socket.on('close', door.left);
  });
  return {
    listen: (host, port) => listen(server, host, port, '--metrics-port'),
    close() {
      return new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A collector that fails costs one scrape, never the process. Never rejects. */
async function sendMetrics(
  response: ServerResponse,
  metrics: MetricsSource,
  onFailure: (failure: unknown) => void,
): Promise<void> {
  let text: string;
  try {
    const rendered = metrics.render();
    text = typeof rendered === 'string' ? rendered : await rendered;
  } catch (failure) {
    onFailure(failure);
    sendText(response, 500, 'The metrics could not be collected; the log has the reason.\n');
    return;
  }
  sendText(response, 200, text, METRICS_CONTENT_TYPE);
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { 'content-type': contentType, 'content-length': body.length });
  // Node leaves the body out of an answer to HEAD by itself.
  response.end(body);
}
