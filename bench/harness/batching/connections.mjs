import { connect } from 'node:net';
import { createAnswerReader } from './answer-reader.mjs';

const READ_BYTES = 1 << 16;

/**
 * Keep-alive connections that send the same bytes again and again, one request at a time on each; none sends ahead.
 * A request that finds none idle opens another, up to `most`, or waits for one.
 *
 * @param onSettled called with a request's number and its status; 0: the connection broke, or what came is not HTTP
 */
export function createConnections({ port, request, most, onSettled }) {
  const idle = [];
  const waiting = [];
  let firstWaiting = 0;
  const open = new Set();
  // One for all: what came is read before the next comes.
  const buffer = Buffer.allocUnsafe(READ_BYTES);

  function openOne(onConnect) {
    const connection = { socket: undefined, inFlight: -1, isOver: false };
    const read = createAnswerReader((status, closes) => {
      const settled = connection.inFlight;
      connection.inFlight = -1;
      onSettled(settled, status);
      if (closes) drop(connection);
      else release(connection);
    });
    const socket = connect({
      ...{ host: '127.0.0.1', port, noDelay: true },
      onread: {
        buffer,
        callback(length) {
          try {
            read(buffer.subarray(0, length));
          } catch {
            drop(connection);
          }
          return true;
        },
      },
    });
    socket.on('error', () => drop(connection));
    socket.on('close', () => drop(connection));
    if (onConnect !== undefined) {
      socket.once('connect', onConnect);
      socket.once('error', onConnect);
    }
    connection.socket = socket;
    open.add(connection);
    return connection;
  }

  function drop(connection) {
    if (connection.isOver) return;
    connection.isOver = true;
    open.delete(connection);
    connection.socket.destroy();
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    if (connection.inFlight >= 0) onSettled(connection.inFlight, 0);
    connection.inFlight = -1;
    if (firstWaiting < waiting.length) sendOn(openOne(), waiting[firstWaiting++]);
  }

  function release(connection) {
    if (firstWaiting < waiting.length) sendOn(connection, waiting[firstWaiting++]);
    else idle.push(connection);
  }

  function sendOn(connection, number) {
    connection.inFlight = number;
    connection.socket.write(request);
  }

  return {
    /** Opens so many ahead, idle once they are there. */
    async warm(count) {
      const opened = [];
      const arrived = Array.from(
        { length: count },
        () => new Promise((resolve) => opened.push(openOne(resolve))),
      );
      await Promise.all(arrived);
      for (const connection of opened) if (!connection.isOver) idle.push(connection);
    },
    send(number) {
      const connection = idle.pop();
      if (connection !== undefined) sendOn(connection, number);
      else if (open.size < most) sendOn(openOne(), number);
      else waiting.push(number);
    },
    /** Requests that wait for a connection. */
    get waiting() {
      return waiting.length - firstWaiting;
    },
    get open() {
      return open.size;
    },
    close() {
      firstWaiting = waiting.length;
      for (const connection of [...open]) {
        connection.inFlight = -1;
        drop(connection);
      }
    },
  };
}
