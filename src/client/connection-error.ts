import { errors } from 'undici';
import { NimifyError } from '../base/errors/nimify-error.ts';

const UNTRUSTED =
  'its certificate is of no authority that is trusted here; name one with the variable NODE_EXTRA_CA_CERTS=FILE';

/** What a failed connection means to the person who asked for it. */
const MEANING: ReadonlyMap<string, string> = new Map([
  [
    'ECONNREFUSED',
    'nothing listens there; start a server with `nimify serve <model>`, or check host and port',
  ],
  ['ENOTFOUND', 'no such host; check the name'],
  ['EAI_AGAIN', 'the name could not be looked up; check the name and the network'],
  ['EHOSTUNREACH', 'the host cannot be reached; check the address and the network'],
  ['ENETUNREACH', 'the network cannot be reached; check the address and the network'],
  ['ECONNRESET', 'the server closed the connection before it answered; send the request again'],
  ['EPIPE', 'the server closed the connection before it had read the request; see its log'],
  ['UND_ERR_SOCKET', 'the server closed the connection before it answered; send the request again'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time; check host and port, and firewalls between'],
  ['HTTPParserError', 'what listens there does not speak HTTP; check the port'],
  ['ERR_HTTP2_ERROR', 'what listens there does not speak gRPC; check the port'],
  ['ERR_HTTP2_SESSION_ERROR', 'the server ended the connection for what it saw on it; see its log'],
  ['REFUSED_STREAM', 'the server ends the connection, and has not begun with the request; send it again'],
  ['ERR_HTTP2_STREAM_ERROR', 'the server broke off before it answered; see its log'],
  ['EPROTO', 'the TLS handshake failed; check whether the server wants http or https'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for other names; use one of them in the address'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired; the server needs another'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the server does not speak TLS; use http:// or grpc://'],
]);

/**
 * A transport failure as a NimifyError: `MODEL_NOT_READY`, the code of an unavailable server, which may be
 * tried again. The transport's own error is the `cause`.
 *
 * @param native what happened, where the transport's error does not say
 */
export function toConnectionError(thrown: unknown, url: string, native = codeOf(thrown)): NimifyError {
  const meaning = MEANING.get(native) ?? 'the connection failed; check the address';
  return new NimifyError('MODEL_NOT_READY', `${url} cannot be used: ${meaning}`, {
    details: { where: url, got: native },
    cause: thrown,
  });
}

/** The system's or undici's code; of several attempts (IPv6, then IPv4) the last one's. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof errors.HTTPParserError) return thrown.name;
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors.at(-1));
  if (typeof thrown !== 'object' || thrown === null) return 'unknown';
  const cause = 'cause' in thrown && thrown.cause !== undefined ? thrown.cause : undefined;
  const isConsequence = !('code' in thrown) || thrown.code === 'ERR_HTTP2_STREAM_CANCEL';
  if (isConsequence && cause !== undefined) return codeOf(cause);
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'unknown';
}
