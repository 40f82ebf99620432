import type { IncomingMessage, ServerResponse } from 'node:http';

/** Requests whose client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1). */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Called when the head of a request with `Expect: 100-continue` has come. */
export function deferContinue(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

/**
 * Lets a waiting client send its body. A request refused before this gets its final status without a 100. One behind
 * requests that are not answered yet has to wait for its turn: node:http would write the 100 into the midst of an
 * answer that is made before that.
 *
 * @returns undefined: there was nothing to wait for; else resolves on its turn, with false if the client has left
 */
export function allowBody(request: IncomingMessage): Promise<boolean> | undefined {
  const response = waiting.get(request);
  if (response === undefined) return undefined;
  waiting.delete(request);
  if (response.socket !== null) {
    response.writeContinue();
    return undefined;
  }
  return turnOf(request, response);
}

function turnOf({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    function onTurn(): void {
      socket.off('close', onLeft);
      response.writeContinue();
      resolve(true);
    }
    function onLeft(): void {
      response.off('socket', onTurn);
      resolve(false);
    }
    response.once('socket', onTurn);
    socket.once('close', onLeft);
  });
}
