import { connect } from 'node:net';
import { createAnswerBuffer } from '../soak/http-messages.mjs';

/**
 * Keep-alive connections to one port, with one request at a time on each; another is opened where none is idle. Nothing is
 * sent twice: what a connection takes along with it is lost.
 *
 * @param onSurplus called with what came on a connection that had asked nothing
 */
export function createClient({ port, onSurplus }) {
  const idle = [];
  const open = new Set();

  function openOne() {
    const connection = { openedMs: performance.now(), settle: undefined, isOver: false };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    connection.socket = socket;
    const take = createAnswerBuffer((answer) => {
      const { settle } = connection;
      connection.settle = undefined;
      if (settle === undefined) onSurplus(`an answer to nothing: status ${answer.status}`);
      if (answer.headers.connection === 'close') drop(connection);
      else idle.push(connection);
      settle?.({ answer });
    });
    socket.on('data', (bytes) => {
      try {
        take(bytes);
      } catch (error) {
        drop(connection, error.message);
      }
    });
    socket.on('error', (error) => drop(connection, error.code));
    socket.on('close', () => drop(connection, 'closed'));
    open.add(connection);
    return connection;
  }

  function drop(connection, reason) {
    if (connection.isOver) return;
    connection.isOver = true;
    open.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    connection.socket.destroy();
    connection.settle?.({ lost: reason, openedMs: connection.openedMs });
    connection.settle = undefined;
  }

  return {
    /** `{answer}`, or `{lost, openedMs}`: why nothing came, and since when there was the connection. Never rejects. */
    ask(bytes, waitMs) {
      const connection = idle.pop() ?? openOne();
      return new Promise((resolve) => {
        const timer = setTimeout(() => drop(connection, 'no answer'), waitMs);
        connection.settle = (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        };
        connection.socket.write(bytes);
      });
    },
    /** Opens so many ahead. */
    async warm(count) {
      const opened = Array.from({ length: count }, openOne);
      await Promise.all(
        opened.map(
          ({ socket }) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)),
        ),
      );
      idle.push(...opened.filter(({ isOver }) => !isOver));
    },
    get open() {
      return open.size;
    },
    close() {
      for (const connection of [...open]) drop(connection, 'the client left');
    },
  };
}
