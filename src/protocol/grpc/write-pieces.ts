import type { ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../base/util/clock.ts';

/** What a client must take within the send timeout: a write counts as taken when all of it is. */
const PIECE_BYTES = 1024 * 1024;

/** Of a call what sending needs. */
export interface Sender {
  readonly stream: ServerHttp2Stream;
  readonly deps: { readonly clock: Clock };
  readonly connection: { noteTraffic(): void };
  /** Since when the client has taken nothing of what is to be sent; undefined: there is nothing. */
  sendingSinceNs: number | undefined;
}

/**
 * Writes the chunks: a small answer at once, a large one piece after piece, each when the client has taken the last,
 * so that one who stalls is found out.
 *
 * @param isLast ends the stream after them
 * @param onTaken called when the client's flow control has let everything pass; not if the stream ends before
 */
export function writePieces(
  sender: Sender,
  chunks: readonly Uint8Array[],
  isLast: boolean,
  onTaken?: () => void,
): void {
  const { stream } = sender;
  const pieces = toPieces(chunks);
  let next = 0;
  sender.sendingSinceNs = sender.deps.clock.nowNs();
  sender.connection.noteTraffic();

  function writeNext(): void {
    let handed = 0;
    while (handed < PIECE_BYTES) {
      const piece = pieces[next] as Uint8Array;
      next += 1;
      handed += piece.length;
      if (next === pieces.length) {
        if (isLast) stream.end(piece);
        else stream.write(piece, onAllTaken);
        return;
      }
      if (handed >= PIECE_BYTES) stream.write(piece, onPieceTaken);
      else stream.write(piece);
    }
  }

  function onPieceTaken(failed: Error | null | undefined): void {
    if (failed != null) return;
    sender.sendingSinceNs = sender.deps.clock.nowNs();
    writeNext();
  }

  function onAllTaken(failed: Error | null | undefined): void {
    sender.sendingSinceNs = undefined;
    if (failed == null) onTaken?.();
  }

  writeNext();
}

function toPieces(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.every(({ length }) => length <= PIECE_BYTES)) return chunks;
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) pieces.push(chunk.subarray(at, at + PIECE_BYTES));
  }
  return pieces;
}
