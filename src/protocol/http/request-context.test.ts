import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createPhases } from '../../model/context.ts';
import type { Parameters } from '../../model/request.ts';
import { sequenceOf } from '../infer-parameters.ts';
import { contextFor, requestIdOf } from './request-context.ts';

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

describe('sequenceOf', () => {
  it('reads id, start and end', () => {
    expect(sequenceOf({ sequence_id: 42, sequence_start: true })).toEqual({
      id: 42,
      start: true,
      end: false,
    });
    expect(sequenceOf({ sequence_id: 'a', sequence_end: true })).toEqual({
      id: 'a',
      start: false,
      end: true,
    });
  });

  it('takes 0 and the empty string for no sequence', () => {
    expect(sequenceOf({})).toBeUndefined();
    expect(sequenceOf({ sequence_id: 0 })).toBeUndefined();
    expect(sequenceOf({ sequence_id: '' })).toBeUndefined();
  });

  it.each([
    { sequence_start: true },
    { sequence_id: 0, sequence_end: true },
    { sequence_id: true },
    { sequence_id: 1.5 },
    { sequence_id: -1 },
    { sequence_id: 1, sequence_start: 'yes' },
  ])('refuses %j', (parameters) => {
    expect(() => sequenceOf(parameters as Parameters)).toThrow(/parameters\.sequence_/);
  });
});

describe('requestIdOf', () => {
  it('takes what is safe', () => {
    expect(requestIdOf(messageWith({ 'x-request-id': 'abc-1.2:3_4' }))).toBe('abc-1.2:3_4');
  });

  it.each(['', 'a b', 'a"b', 'ü', 'x'.repeat(129)])('makes its own in place of %j', (sent) => {
    expect(requestIdOf(messageWith({ 'x-request-id': sent }))).toMatch(/^[0-9a-f-]{36}$/);
  });
});
