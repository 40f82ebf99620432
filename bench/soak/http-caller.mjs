import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAnswerBuffer, decodeHttp, encodeHttp } from './http-messages.mjs';

/** Far longer than any deadline: what has not come by then never will. */
const LOST_AFTER_MS = 60_000;

/** A client with one connection, which it opens anew where it hung up or the server closed it. */
export function createHttpCaller({ port, ledger }) {
  let socket;
  let waiting;

  function settle(outcome) {
    const settled = waiting;
    waiting = undefined;
    if (settled === undefined)
      ledger.surplus(`an answer to nothing: ${JSON.stringify(outcome).slice(0, 200)}`);
    else settled(outcome);
  }

  async function open() {
    if (socket !== undefined) return socket;
    const made = connect({ host: '127.0.0.1', port, noDelay: true });
    socket = made;
    const take = createAnswerBuffer((answer) => {
      if (answer.headers.connection === 'close') drop(made);
      settle(outcomeOf(answer));
    });
    made.on('data', (bytes) => {
      try {
        const left = take(bytes);
        if (left > 0 && waiting === undefined) ledger.surplus(`${left} bytes after an answer`);
      } catch (error) {
        drop(made);
        if (waiting !== undefined) settle({ lost: error.message });
      }
    });
    const closed = () => {
      const isOurs = socket === made;
      drop(made);
      if (isOurs && waiting !== undefined) settle({ lost: 'the connection was closed' });
    };
    made.on('error', closed);
    made.on('close', closed);
    return made;
  }

  function drop(one) {
    if (socket === one) socket = undefined;
    one.destroy();
  }

  async function ask(request) {
    const to = await open();
    const answered = new Promise((resolve) => {
      waiting = resolve;
    });
    const timer = setTimeout(() => settle({ lost: 'no answer within a minute' }), LOST_AFTER_MS);
    to.write(encodeHttp(request));
    ledger.settle(request, await answered);
    clearTimeout(timer);
  }

  /** Sends it, or a part of it, and hangs up. */
  async function leave(request) {
    const to = await open();
    waiting = () => {};
    const bytes = encodeHttp(request);
    to.write(
      request.kind === 'half' ? bytes.subarray(0, Math.floor(bytes.length * request.sentShare)) : bytes,
    );
    await sleep(request.stayMs);
    waiting = undefined;
    drop(to);
    ledger.abandoned(request);
  }

  return {
    call: (request) => (request.kind === 'cancel' || request.kind === 'half' ? leave(request) : ask(request)),
    async hangUp() {
      if (socket !== undefined) drop(socket);
    },
  };
}

function outcomeOf(answer) {
  try {
    return decodeHttp(answer);
  } catch (error) {
    return { lost: `status ${answer.status} with a body that cannot be read: ${error.message}` };
  }
}
