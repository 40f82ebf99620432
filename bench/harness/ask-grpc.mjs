import { connect } from 'node:http2';

const WITHIN_MS = 30_000;

/** One call on a connection of its own. Answers like an HTTP request: `status` 200 where `grpc-status` is 0. */
export function askGrpc({ port, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const end = (settle, value) => {
      session.destroy();
      settle(value);
    };
    session.on('error', (error) => end(reject, error));
    const call = session.request({ ':method': 'POST', ':path': path, ...headers });
    const chunks = [];
    let answered = {};
    let trailers = {};
    call.on('response', (head) => {
      answered = head;
    });
    call.on('trailers', (last) => {
      trailers = last;
    });
    call.on('data', (chunk) => chunks.push(chunk));
    call.on('error', (error) => end(reject, error));
    call.on('end', () => {
      const said = { ...answered, ...trailers };
      const status = said['grpc-status'] === '0' ? 200 : `${said['grpc-status']} ${said['grpc-message']}`;
      end(resolve, { status, headers: answered, body: Buffer.concat(chunks) });
    });
    call.setTimeout(WITHIN_MS, () => end(reject, new Error('no answer within 30 s')));
    call.end(body);
  });
}
