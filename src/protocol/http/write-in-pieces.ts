/** What a client must take within the send timeout: a write counts as taken when all of it is. */
export const PIECE_BYTES = 1024 * 1024;

/** Where an answer is written to. */
interface PieceSink {
  write(piece: Uint8Array, onTaken?: (error: Error | null | undefined) => void): boolean;
}

/**
 * Hands over one piece after the other, each when the system has taken the last.
 *
 * @param finish called with the last piece, which it writes; not where the sink breaks before that
 */
export function writeInPieces(
  sink: PieceSink,
  chunks: readonly Uint8Array[],
  finish: (last: Uint8Array) => void,
): void {
  const pieces = piecesOf(chunks);
  let next = 0;
  function writeNext(): void {
    for (let handedBytes = 0; ; ) {
      const piece = pieces[next]!;
      next += 1;
      handedBytes += piece.length;
      if (next === pieces.length) {
        finish(piece);
        return;
      }
      if (handedBytes >= PIECE_BYTES) {
        sink.write(piece, onTaken);
        return;
      }
      sink.write(piece);
    }
  }
  function onTaken(error: Error | null | undefined): void {
    if (error == null) writeNext();
  }
  writeNext();
}

function piecesOf(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) pieces.push(chunk.subarray(at, at + PIECE_BYTES));
  }
  return pieces;
}
