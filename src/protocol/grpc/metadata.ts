import { invalidInput } from '../../base/errors/nimify-error.ts';

/** `application/grpc`, alone or with `+proto`; parameters may follow. Others, such as gRPC-Web, are not read. */
const CONTENT_TYPE = /^application\/grpc(?:\+proto)?(?:\s*;.*)?$/i;

export function isGrpcContentType(header: string | undefined): boolean {
  return header !== undefined && CONTENT_TYPE.test(header);
}

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const NS_PER_UNIT = { H: 3600e9, M: 60e9, S: 1e9, m: 1e6, u: 1e3, n: 1 } as const;

/**
 * `grpc-timeout` (PROTOCOL-HTTP2.md) in nanoseconds; undefined where the client sent none.
 * @throws NimifyError INVALID_INPUT
 */
export function timeoutNsOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = typeof header === 'string' ? TIMEOUT.exec(header) : null;
  if (match === null) {
    throw invalidInput(
      `grpc-timeout: expected at most 8 digits and one of H, M, S, m, u, n, such as 250m, got '${header}'`,
      { where: 'grpc-timeout', expected: '250m', got: header },
    );
  }
  return Number(match[1]) * NS_PER_UNIT[match[2] as keyof typeof NS_PER_UNIT];
}
