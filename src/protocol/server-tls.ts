import type { Socket } from 'node:net';
import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import { toNimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import { readTlsIdentity, stampOf, type TlsFiles, type TlsIdentity } from './tls-files.ts';

/** What makes servers speak TLS, with certificates that may be renewed while they run. */
export interface ServerTls {
  /** Clients are let in with a certificate only. */
  readonly isMutual: boolean;
  /** For the constructor of a server. */
  readonly options: TlsOptions;
  /** To be called once with each server that was made with these options. */
  attach(server: Server): AttachedTls;
  /** Stops looking at the files. */
  stop(): void;
}

export interface AttachedTls {
  /** Ends the connections on which no handshake has come to its end. */
  endHandshakes(): void;
}

export interface ServerTlsOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest time for a handshake, in milliseconds. */
  readonly receiveTimeoutMs: number;
}

/** A change is taken up when the files looked the same twice, so that a half-written one is not. */
const LOOK_EVERY_MS = 10_000;

/** One line in so long tells of failed handshakes: whoever finds the port can make them. */
const LOG_EVERY_NS = 60e9;

/**
 * Reads the files, and looks at them again every ten seconds. Where what is there then cannot be used, the log says why
 * and the certificate that was there goes on.
 * @throws NimifyError CONFIG_INVALID: what is wrong with the files now
 */
export async function createServerTls(options: ServerTlsOptions): Promise<ServerTls> {
  const { files, clock, log, receiveTimeoutMs } = options;
  const servers = new Set<Server>();
  let stamp = await stampOf(files);
  let identity = await readTlsIdentity(files);
  let lastSeen = stamp;
  let isStopped = false;
  let loggedAtNs = Number.NEGATIVE_INFINITY;
  let failed = 0;
  warnOfDates(identity);
  let timer = clock.setTimer(look, LOOK_EVERY_MS);

  function look(): void {
    void takeUpChange().then(() => {
      if (!isStopped) timer = clock.setTimer(look, LOOK_EVERY_MS);
    });
  }

  /** Never rejects. */
  async function takeUpChange(): Promise<void> {
    const seen = await stampOf(files);
    const isSettled = seen === lastSeen;
    lastSeen = seen;
    if (!isSettled || seen === stamp || isStopped) return;
    stamp = seen;
    try {
      identity = await readTlsIdentity(files);
    } catch (refused) {
      const { message } = toNimifyError(refused);
      log.error(
        { where: 'tls' },
        `the certificate cannot be renewed, the one before stays in use: ${message}`,
      );
      return;
    }
    for (const server of servers) server.setSecureContext(identity.credentials);
    log.info(
      { certFile: files.certFile, validTo: toDay(identity.validToMs) },
      'certificate renewed: new connections get it',
    );
    warnOfDates(identity);
  }

  function warnOfDates({ validFromMs, validToMs }: TlsIdentity): void {
    const nowMs = clock.wallMs();
    const says =
      nowMs > validToMs
        ? `expired on ${toDay(validToMs)}`
        : nowMs < validFromMs
          ? `holds from ${toDay(validFromMs)} only`
          : undefined;
    if (says !== undefined) {
      log.warn({ certFile: files.certFile }, `the certificate ${says}: clients that check it refuse it`);
    }
  }

  function noteFailure(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const reason = reasonOf(error, socket);
    if (reason === undefined) return;
    failed += 1;
    const nowNs = clock.nowNs();
    if (nowNs - loggedAtNs < LOG_EVERY_NS) return;
    log.warn(
      { reason, failed },
      'TLS handshakes failed, the last one for this reason; such clients may speak no TLS, or not trust the certificate, or have none that is trusted here',
    );
    loggedAtNs = nowNs;
    failed = 0;
  }

  return {
    isMutual: files.clientCaFile !== undefined,
    get options() {
      const isMutual = files.clientCaFile !== undefined;
      return {
        ...identity.credentials,
        requestCert: isMutual,
        rejectUnauthorized: isMutual,
        handshakeTimeout: receiveTimeoutMs,
      };
    },
    attach(server) {
      servers.add(server);
      server.on('close', () => servers.delete(server));
      // node:https would answer in HTTP, which nobody at the other end reads.
      server.removeAllListeners('tlsClientError');
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
        noteFailure(error, socket);
        socket.destroy();
      });
      return trackHandshakes(server);
    },
    stop() {
      isStopped = true;
      timer.cancel();
    },
  };
}

/** OpenSSL's or Node's word for it. Undefined: the client left before it had said anything wrong, as probes of ports do. */
function reasonOf({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): string | undefined {
  // Of type Error in its declaration, and a text in truth.
  const refused = authorizationError as unknown;
  if (typeof refused === 'string') return refused;
  return code === 'ECONNRESET' ? undefined : (code ?? 'unknown');
}

/** The socket below a TLSSocket is not to be had from it, but both have the client's address. */
function trackHandshakes(server: Server): AttachedTls {
  const shaking = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const client = clientOf(socket);
    shaking.set(client, socket);
    socket.on('close', () => {
      if (shaking.get(client) === socket) shaking.delete(client);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => shaking.delete(clientOf(socket)));
  return {
    endHandshakes() {
      for (const socket of shaking.values()) socket.destroy();
    },
  };
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
