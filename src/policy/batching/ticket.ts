import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { HeapItem } from './heap.ts';
import type { Lane } from './lanes.ts';

/** What a ticket's run looks like from the ticket. */
export interface TicketRun {
  /** One of its tickets is settled already. */
  leave(ticket: Ticket): void;
}

/** When a ticket's time in the queue is over; stands in a heap of its own. */
export interface Expiry extends HeapItem {
  readonly ticket: Ticket;
}

/** A request, or a piece of one, on its way through: waiting, then in a run, and settled once. */
export interface Ticket extends HeapItem {
  readonly request: InferRequest;
  readonly context: RequestContext;
  readonly lane: Lane;
  readonly rows: number;
  /** May it share a run? */
  readonly joins: boolean;
  /** Priority, from 1. */
  readonly level: number;
  readonly sinceNs: number;
  readonly deadlineAtNs: number;
  /** Does it count against the limit of its queue? The further pieces of a request do not. */
  readonly counts: boolean;
  /** Its key in the queue. */
  key: number;
  /** What it adds to the work that waits, and in which bucket that was counted. */
  workNs: number;
  bucket: number;
  expiry: Expiry | undefined;
  /** Waits for a run once more, after one that failed. */
  run: TicketRun | undefined;
  isSettled: boolean;
  onCancel: (() => void) | undefined;
  readonly resolve: (response: InferResponse) => void;
  readonly reject: (error: NimifyError) => void;
}

/** To whoever waits for it. The first time counts; false: it was settled before, and the response is the caller's to release. */
export function settle(ticket: Ticket, response: InferResponse): boolean {
  if (!close(ticket)) return false;
  ticket.resolve(response);
  return true;
}

export function refuse(ticket: Ticket, error: NimifyError): void {
  if (close(ticket)) ticket.reject(error);
}

function close(ticket: Ticket): boolean {
  if (ticket.isSettled) return false;
  ticket.isSettled = true;
  if (ticket.onCancel !== undefined) ticket.context.cancel.off(ticket.onCancel);
  return true;
}
