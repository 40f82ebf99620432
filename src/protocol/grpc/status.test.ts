import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { ERROR_TABLE, type ErrorCode, type ErrorEntry, GRPC_STATUS } from '../../base/errors/table.ts';
import { isGrpcContentType, timeoutNsOf } from './metadata.ts';
import { errorTrailers, percentEncode } from './status.ts';

describe('errorTrailers', () => {
  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('gives %s the status of the one table', (code) => {
    const entry: ErrorEntry = ERROR_TABLE[code];
    expect(errorTrailers(new NimifyError(code, 'm'), 'r')).toEqual({
      'grpc-status': String(GRPC_STATUS[entry.grpc ?? 'INTERNAL']),
      'grpc-message': 'm',
      'nimify-code': code,
      'x-request-id': 'r',
    });
  });

  it('says when to try again, in whole seconds and in milliseconds', () => {
    expect(errorTrailers(new NimifyError('OVERLOADED', 'm', { retryAfterMs: 0.5 }), 'r')).toMatchObject({
      'retry-after': '1',
      'grpc-retry-pushback-ms': '1',
    });
  });
});

describe('percentEncode', () => {
  it.each([
    ['plain', 'plain'],
    ['100 %', '100 %25'],
    ['a\nb', 'a%0Ab'],
    ['façade \u{1F600}', 'fa%C3%A7ade %F0%9F%98%80'],
  ])('%j', (text, encoded) => {
    expect(percentEncode(text)).toBe(encoded);
    expect(decodeURIComponent(encoded)).toBe(text);
  });

  it('cuts what clients might not take', () => {
    expect(percentEncode('x'.repeat(10_000))).toHaveLength(2048);
  });
});

describe('timeoutNsOf', () => {
  it.each([
    ['1H', 3600e9],
    ['2M', 120e9],
    ['3S', 3e9],
    ['99999999m', 99_999_999e6],
    ['5u', 5e3],
    ['6n', 6],
  ])('%s', (header, ns) => expect(timeoutNsOf(header)).toBe(ns));

  it.each(['', '5', 'S', '1.5S', '123456789S', '5s', '-1S'])('refuses %j', (header) => {
    expect(() => timeoutNsOf(header)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('isGrpcContentType', () => {
  it.each(['application/grpc', 'application/grpc+proto', 'application/grpc; charset=utf-8'])(
    'takes %s',
    (header) => {
      expect(isGrpcContentType(header)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'application/grpc-web',
    'application/grpc+json',
    'application/json',
    'application/grpcx',
  ])('does not take %s', (header) => expect(isGrpcContentType(header)).toBe(false));
});
