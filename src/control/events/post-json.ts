/** What came of sending something. */
export type Posted =
  | 'taken'
  | {
      readonly reason: string;
      /** Whether the same may be taken another time. */
      readonly mayRetry: boolean;
      readonly retryAfterMs?: number;
    };

/** Sends JSON to an address; never rejects. */
export type PostJson = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Posted>;

const LONGEST_ANSWER_MS = 10_000;
/** What these say is about the moment, not about what was sent: RFC 9110, RFC 8470, RFC 6585. */
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429]);

/** A redirect is no answer: what is signed for one address is not for another. */
export const postJson: PostJson = async (url, body, headers, signal) => {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ANSWER_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return 'taken';
    const { status } = response;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      reason: `it answered ${status}`,
      mayRetry: status >= 500 || RETRIED.has(status),
      ...(seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
    };
  } catch (failed) {
    return { reason: reasonOf(failed), mayRetry: true };
  }
};

/** fetch says no more than that it failed; the system's word is in the cause. */
function reasonOf(failed: unknown): string {
  if (!(failed instanceof Error)) return 'it could not be reached';
  if (failed.name === 'TimeoutError') return `no answer within ${LONGEST_ANSWER_MS / 1000} s`;
  if (failed.name === 'AbortError') return 'the server ended';
  const { code } = (failed.cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'it could not be reached';
}
