import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { ShapeClass } from './contract.ts';
import type { Heap, HeapItem } from './heap.ts';

/** A shape class, those of it that wait, and what is known of its runs. As a heap's item it stands for its first. */
export interface Lane extends HeapItem {
  readonly shape: ShapeClass;
  readonly waiting: Heap<Ticket>;
  /** Do its requests have rows that can be counted? */
  readonly hasRows: boolean;
  /** May they be joined? Not where joining has turned out wrong. */
  joins: boolean;
  order: number;
  /** Rows that wait. */
  rows: number;
  /** Runs of more rows than this have failed where halves of them did not. */
  cappedRows: number;
  /** Rows of the largest run so far. */
  largestRun: number;
  runs: number;
  lastRunAtNs: number;
  /** Most rows to join, and what a row takes in such a run. */
  mostRows: number;
  rowNs: number;
  /** They are looked up anew with that run; so often they were. */
  lookUpAtRun: number;
  lookUps: number;
  /** Of the turns of the event loop: is it worth while to gather what arrives in one? */
  gathers: boolean;
  gathersSince: number;
}

/** What a ticket's run looks like from the ticket. */
export interface TicketRun {
  /** One of its tickets is settled already. */
  leave(ticket: Ticket): void;
}

/** Those of a run that failed and is tried again in parts: was it one of them, or that they were so many? */
export interface Trial {
  readonly rows: number;
  /** Those who have not been answered since. */
  left: number;
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
  run: TicketRun | undefined;
  trial: Trial | undefined;
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
