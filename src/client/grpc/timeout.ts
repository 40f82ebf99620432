/** Digits that `grpc-timeout` may have (PROTOCOL-HTTP2.md). */
const MOST = 99_999_999;

/** Value of `grpc-timeout`: the finest unit that eight digits reach, rounded down, and never nothing. */
export function toGrpcTimeout(remainingMs: number): string {
  const micros = Math.max(1, Math.floor(remainingMs * 1000));
  if (micros <= MOST) return `${micros}u`;
  const millis = Math.floor(micros / 1000);
  if (millis <= MOST) return `${millis}m`;
  return `${Math.min(MOST, Math.floor(millis / 1000))}S`;
}
