import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createPhases } from '../../model/context.ts';
import type { Parameters } from '../../model/request.ts';
import { contextFor } from './request-context.ts';

const ARRIVED_AT_NS = 1e9;

function messageWith(headers: IncomingHttpHeaders): IncomingMessage {
  return { headers } as IncomingMessage;
}

function contextOf(headers: IncomingHttpHeaders, parameters: Parameters) {
  const life = {
    requestId: 'r',
    arrivedAtNs: ARRIVED_AT_NS,
    cancel: createCancelSource(),
    phases: createPhases(),
  };
  return contextFor(messageWith(headers), 7000, life, parameters);
}

function remainingMs(headers: IncomingHttpHeaders, parameters: Parameters): number {
  return (contextOf(headers, parameters).deadlineAtNs - ARRIVED_AT_NS) / 1e6;
}

describe('deadline', () => {
  it.each([
    ['250ms', 250],
    ['2s', 2000],
    ['1.5s', 1500],
    ['1500us', 1.5],
    ['40', 40],
    [' 40 ', 40],
    ['0', 0],
  ])('header %j leaves %d ms', (header, ms) => {
    expect(remainingMs({ 'x-request-deadline': header }, {})).toBe(ms);
  });

  it('counts the timeout parameter in microseconds', () => {
    expect(remainingMs({}, { timeout: 2500 })).toBe(2.5);
  });

  it('takes the smaller of both', () => {
    expect(remainingMs({ 'x-request-deadline': '1s' }, { timeout: 2_000_000 })).toBe(1000);
    expect(remainingMs({ 'x-request-deadline': '3s' }, { timeout: 2_000_000 })).toBe(2000);
  });

  it('has a default, also where timeout is 0', () => {
    expect(remainingMs({}, {})).toBe(7000);
    expect(remainingMs({}, { timeout: 0 })).toBe(7000);
  });

  it.each(['', 'soon', '-1', '1h', '1e3', '1 s', '1m'])('refuses the header %j', (header) => {
    expect(() => remainingMs({ 'x-request-deadline': header }, {})).toThrow(/x-request-deadline/);
  });

  it.each([-1, '5', true, Number.NaN])('refuses the parameter %j', (timeout) => {
    expect(() => remainingMs({}, { timeout })).toThrow(/parameters\.timeout/);
  });
});

describe('priority', () => {
  it('is 0 where none is given', () => {
    expect(contextOf({}, {}).priority).toBe(0);
    expect(contextOf({}, { priority: 3 }).priority).toBe(3);
  });

  it.each([-1, 1.5, '1', true])('refuses %j', (priority) => {
    expect(() => contextOf({}, { priority })).toThrow(/parameters\.priority/);
  });
});
