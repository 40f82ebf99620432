import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { METRICS_CONTENT_TYPE } from '../../base/telemetry/exposition.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface MetricsServer {
  /**
   * Port 0 picks a free one.
   * @throws NimifyError CONFIG_INVALID when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<ListenAddress>;
  close(): Promise<void>;
}

/** A port of its own for scrapers: `/metrics` and `/health`, so that it need not be open to clients. */
export function createMetricsServer(metrics: MetricsRegistry): MetricsServer {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics' && path !== '/health') {
      sendText(response, 404, 'Here are /metrics and /health.\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      sendText(response, 405, `${path} takes GET.\n`);
    } else if (path === '/health') {
      sendText(response, 200, 'ok\n');
    } else sendMetrics(response, metrics);
  });
  return {
    listen(host, port) {
      return new Promise((resolve, reject) => {
        const failed = (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause));
        server.once('error', failed);
        server.listen(port, host, () => {
          server.off('error', failed);
          const { address, port: bound } = server.address() as AddressInfo;
          resolve({ host: address, port: bound });
        });
      });
    },
    close() {
      return new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A collector that fails costs one scrape, never the process. */
function sendMetrics(response: ServerResponse, metrics: MetricsRegistry): void {
  let text: string;
  try {
    text = metrics.render();
  } catch {
    sendText(response, 500, 'The metrics could not be collected.\n');
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

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): NimifyError {
  const reason =
    cause.code === 'EADDRINUSE'
      ? 'the port is taken; stop the program that holds it or pass another --metrics-port'
      : `the system refuses it (${cause.code ?? 'unknown'}); pass another --host or --metrics-port`;
  return new NimifyError('CONFIG_INVALID', `metrics: cannot listen on ${host}:${port}: ${reason}`, {
    details: { where: '--metrics-port', got: port },
    cause,
  });
}
