/** What is held begins with room for this, and grows in chunks that are each twice the one before. */
const FIRST_BYTES = 1024;
const LARGEST_BYTES = 64 * 1024;

/** Content that waits for somebody to take it, copied close together: it may have come byte by byte. */
export class HeldContent {
  /** Full ones but the last. */
  readonly #chunks: Buffer[] = [];
  /** Of the last. */
  #length = 0;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      const chunk = this.#chunks.at(-1);
      if (chunk === undefined || this.#length === chunk.length) {
        this.#grow((chunk?.length ?? 0) * 2, piece.length - at);
        continue;
      }
      const part = piece.subarray(at, at + chunk.length - this.#length);
      chunk.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  /** The next of it, in the order in which it came; there must be some. */
  take(): Buffer {
    const chunk = this.#chunks.shift()!;
    return this.#chunks.length > 0 ? chunk : chunk.subarray(0, this.#length);
  }

  #grow(bytes: number, atLeast: number): void {
    const size = Math.max(FIRST_BYTES, Math.min(bytes, LARGEST_BYTES), atLeast);
    this.#chunks.push(Buffer.allocUnsafeSlow(size));
    this.#length = 0;
  }
}
