/** How large the answers of models are: what a run makes is known only when it is there. */
export interface AnswerSizes {
  /** What the next answer is reckoned to take, in bytes; 0 where answers are small or unknown. */
  expectedBytes(model: string): number;
  /** The largest of all that are expected. */
  readonly mostBytes: number;
  made(model: string, sizeBytes: number): void;
  /** One was not made because there was no room for what was expected. */
  refused(model: string): void;
}

/** What is less than it was is believed slowly. */
const FORGET = 1 / 8;

/**
 * The next answer of a model is expected to be about as large as the last large ones. Each refusal for that lowers what
 * is expected, so that after some of them one is made, which tells.
 */
export function createAnswerSizes(leastBytes: number): AnswerSizes {
  const expected = new Map<string, number>();
  let mostBytes = 0;

  function lower(model: string, towards: number): void {
    const bytes = expected.get(model);
    if (bytes === undefined) return;
    const lowered = bytes + FORGET * (towards - bytes);
    if (lowered < leastBytes) expected.delete(model);
    else expected.set(model, lowered);
  }

  return {
    expectedBytes: (model) => (mostBytes === 0 ? 0 : (expected.get(model) ?? 0)),
    get mostBytes() {
      return mostBytes;
    },
    made(model, sizeBytes) {
      if (sizeBytes >= (expected.get(model) ?? leastBytes)) expected.set(model, sizeBytes);
      else lower(model, sizeBytes);
      mostBytes = Math.max(mostBytes, sizeBytes);
    },
    refused: (model) => lower(model, 0),
  };
}
