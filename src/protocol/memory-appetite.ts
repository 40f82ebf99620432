/** What a body takes besides itself, by the byte: learned from what the process held while bodies were there. */
export interface Appetite {
  /** To be called when nothing is held for requests. */
  atRest(usedBytes: number): void;
  /** Would it be more than is known, if no garbage were among it? @param bodyBytes of all bodies that are there or coming */
  isExceeded(usedBytes: number, bodyBytes: number): boolean;
  /** To be called when garbage has been collected. */
  look(usedBytes: number, bodyBytes: number): void;
  /** The body included. */
  readonly bytesAByte: number;
}

/** A body is read, and becomes numbers, rows of a batch or an answer: as much again at least. */
export const LEAST_BYTES_A_BYTE = 2;
/** Until something is learned. */
const FIRST_BYTES_A_BYTE = 3;
/** Beyond this it is no longer the bodies that take it. */
const MOST_BYTES_A_BYTE = 16;
/** Less says more of garbage than of bodies. */
const LEARN_FROM_BYTES = 4 * 2 ** 20;
/** What is less than it was is believed slowly: at looks twice a second, half of it in 7 s. */
const FORGET = 0.05;

/** More is believed at once: too little room that is reckoned with may cost the process, too much some requests. */
export function createAppetite(usedBytes: number): Appetite {
  let restBytes = usedBytes;
  let bytesAByte = FIRST_BYTES_A_BYTE;

  function seen(bytes: number, bodyBytes: number): number {
    return Math.min(MOST_BYTES_A_BYTE, Math.max(LEAST_BYTES_A_BYTE, (bytes - restBytes) / bodyBytes));
  }

  return {
    atRest(bytes) {
      restBytes = bytes;
    },
    isExceeded: (bytes, bodyBytes) => bodyBytes >= LEARN_FROM_BYTES && seen(bytes, bodyBytes) > bytesAByte,
    look(bytes, bodyBytes) {
      if (bodyBytes < LEARN_FROM_BYTES) return;
      const bounded = seen(bytes, bodyBytes);
      bytesAByte = Math.max(bounded, bytesAByte + FORGET * (bounded - bytesAByte));
    },
    get bytesAByte() {
      return bytesAByte;
    },
  };
}
