import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { joinResponses, splitRequest } from './join.ts';
import type { Ticket } from './ticket.ts';

/** What of a ticket is the piece's own. */
export interface Piece {
  readonly request: InferRequest;
  /** Its rows come before those of the pieces after it. */
  readonly isFirst: boolean;
  readonly resolve: (response: InferResponse) => void;
  readonly reject: (error: NimifyError) => void;
}

/**
 * A request that is larger than a run may be: its pieces wait and run like requests, and its answer is theirs in
 * order, or the first failure.
 *
 * @param push puts a piece in the queue
 * @param withdraw takes it back, out of the queue or out of its run
 */
export function enterPieces(
  request: InferRequest,
  rows: number,
  most: number,
  push: (piece: Piece) => Ticket,
  withdraw: (ticket: Ticket, error: NimifyError) => void,
): Promise<InferResponse> {
  const requests = splitRequest(request, rows, most);
  // Held: a host that hands buffers over must not take one that is the other pieces' too.
  request.owner.retain();
  return new Promise((resolve, reject) => {
    const responses = new Array<InferResponse | undefined>(requests.length).fill(undefined);
    let missing = requests.length;
    let hasFailed = false;

    function fail(error: NimifyError): void {
      if (hasFailed) return;
      hasFailed = true;
      for (const ticket of tickets) withdraw(ticket, error);
      for (const response of responses) response?.owner.release();
      request.owner.release();
      reject(error);
    }

    function answer(at: number, response: InferResponse): void {
      responses[at] = response;
      missing -= 1;
      if (missing > 0) return;
      request.owner.release();
      try {
        resolve(joinResponses(responses as InferResponse[]));
      } catch (failure) {
        reject(failure);
      }
    }

    const tickets = requests.map((piece, at) =>
      push({ request: piece, isFirst: at === 0, resolve: (response) => answer(at, response), reject: fail }),
    );
  });
}
