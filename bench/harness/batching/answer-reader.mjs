/** A head has `content-length`, or the body is chunked; anything else is not expected of a server here. */
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;
const CLOSES = /\r\nconnection: *close/i;
const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = '\r\n0\r\n\r\n';

/**
 * Finds where HTTP/1.1 answers end, on a connection with one request at a time, and reads no more of them than that
 * takes: the bytes that it is given are not kept, except of a head that has come in part.
 *
 * @param onAnswer called with the status, and whether the server will close the connection
 * @returns {(bytes: Buffer) => void} takes what came. @throws on what is not HTTP
 */
export function createAnswerReader(onAnswer) {
  let held;
  let status = 0;
  let closes = false;
  /** Of the body; -1 while in the head, -2 in a chunked body. */
  let left = -1;
  let tail = '';

  function finish() {
    left = -1;
    tail = '';
    onAnswer(status, closes);
  }

  return function take(bytes) {
    if (left > 0) {
      left -= bytes.length;
      if (left < 0) throw new Error('more bytes than content-length said');
      if (left === 0) finish();
      return;
    }
    if (left === -2) {
      takeChunked(bytes);
      return;
    }
    const all = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      held = Buffer.from(all);
      return;
    }
    held = undefined;
    const head = all.latin1Slice(0, end);
    status = Number(head.slice(9, 12));
    closes = CLOSES.test(head);
    const body = all.subarray(end + HEAD_END.length);
    const length = LENGTH.exec(head)?.[1];
    if (length !== undefined) {
      left = Number(length) - body.length;
      if (left < 0) throw new Error('more bytes than content-length said');
      if (left === 0) finish();
      return;
    }
    if (!CHUNKED.test(head)) throw new Error(`neither a length nor chunks: ${head.slice(0, 200)}`);
    left = -2;
    tail = '\r\n';
    takeChunked(body);
  };

  /** The last chunk is known by its bytes: bodies here are JSON, in which they cannot stand. */
  function takeChunked(bytes) {
    tail = (tail + bytes.latin1Slice(Math.max(0, bytes.length - LAST_CHUNK.length))).slice(
      -LAST_CHUNK.length,
    );
    if (tail === LAST_CHUNK) finish();
  }
}
