/** What a body takes besides itself, by the byte: learned from what the process held while bodies were there. */
export interface Appetite {
  /** To be called when nothing is held for requests. */
  atRest(usedBytes: number): void;
  /** Would more be learned from this, if there were no garbage in it? */
  isExceeded(seen: AppetiteSight): boolean;
  /** To be called when garbage has been collected. */
  look(seen: AppetiteSight): void;
  /** The body included. */
  readonly bytesAByte: number;
}

export interface AppetiteSight {
  readonly usedBytes: number;
  /** Of all bodies that are there or coming. */
  readonly bodyBytes: number;
  /** What all of them may take. */
  readonly roomBytes: number;
}

/** A body is read, and becomes numbers, rows of a batch or an answer: as much again at least. */
export const LEAST_BYTES_A_BYTE = 2;
/** Until something is learned. */
const FIRST_BYTES_A_BYTE = 3;
/** Beyond this it is no longer the bodies that take it. */
const MOST_BYTES_A_BYTE = 16;
/** Where there is less, other things say more: connections, and threads with garbage of their own. */
const MORE_FROM_SHARE = 1 / 4;
const LESS_FROM_BYTES = 4 * 2 ** 20;
/** What is less than it was is believed slowly: at looks twice a second, half of it in 7 s. */
const FORGET = 0.05;

/** More is believed at once: too little room that is reckoned with may cost the process, too much some requests. */
export function createAppetite(usedBytes: number): Appetite {
  let restBytes = usedBytes;
  let bytesAByte = FIRST_BYTES_A_BYTE;

  function of({ usedBytes, bodyBytes }: AppetiteSight): number {
    const seen = (usedBytes - restBytes) / bodyBytes;
    return Math.min(MOST_BYTES_A_BYTE, Math.max(LEAST_BYTES_A_BYTE, seen));
  }

  function isExceeded(sight: AppetiteSight): boolean {
    return sight.bodyBytes >= sight.roomBytes * MORE_FROM_SHARE && of(sight) > bytesAByte;
  }

  return {
    isExceeded,
    atRest(bytes) {
      restBytes = bytes;
    },
    look(sight) {
      if (isExceeded(sight)) bytesAByte = of(sight);
      else if (sight.bodyBytes >= LESS_FROM_BYTES) {
        bytesAByte += FORGET * Math.min(0, of(sight) - bytesAByte);
      }
    },
    get bytesAByte() {
      return bytesAByte;
    },
  };
}
