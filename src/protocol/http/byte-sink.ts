/** Gathers a body of known or unknown length in one buffer of its own. */
export interface ByteSink {
  readonly byteLength: number;
  /** Copies `chunk` to the end. */
  push(chunk: Uint8Array): void;
  /** What was pushed, as a view over a buffer that nobody else holds. The sink is empty afterwards. */
  take(): Uint8Array;
}

export interface ByteSinkOptions {
  /** Length to make room for at once; a wrong guess costs a copy, never bytes. */
  readonly expectedBytes: number;
  /** Offset in the body that is to lie on a multiple of 8 in the buffer. Default 0. */
  readonly alignAt?: number;
}

const ALIGNMENT = 8;
const SMALLEST_BYTES = 1024;

/**
 * The buffer is made when the first byte comes, so that announcing a large body costs the server nothing. It
 * is never a part of Node's shared pool: a host may transfer it to another thread.
 */
export function createByteSink(options: ByteSinkOptions): ByteSink {
  const padding = (ALIGNMENT - ((options.alignAt ?? 0) % ALIGNMENT)) % ALIGNMENT;
  let buffer: Uint8Array | undefined;
  let length = 0;

  function roomFor(capacity: number): Uint8Array {
    const larger = allocate(padding, capacity);
    if (buffer !== undefined) larger.set(buffer.subarray(0, length));
    buffer = larger;
    return larger;
  }

  return {
    get byteLength() {
      return length;
    },
    push(chunk) {
      let target = buffer ?? roomFor(Math.max(options.expectedBytes, chunk.length));
      if (length + chunk.length > target.length) {
        target = roomFor(Math.max(length + chunk.length, target.length * 2, SMALLEST_BYTES));
      }
      target.set(chunk, length);
      length += chunk.length;
    },
    take() {
      const taken = buffer === undefined ? new Uint8Array(0) : buffer.subarray(0, length);
      buffer = undefined;
      length = 0;
      return taken;
    },
  };
}

/** A plain Uint8Array of `capacity` bytes, `padding` bytes into an ArrayBuffer of its own; not zeroed. */
function allocate(padding: number, capacity: number): Uint8Array {
  const whole = Buffer.allocUnsafeSlow(padding + capacity);
  return new Uint8Array(whole.buffer, whole.byteOffset + padding, capacity);
}
