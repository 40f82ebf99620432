import { invalidInput } from '../../base/errors/nimify-error.ts';
import { decodeInferRequest } from '../../base/oip/decode.ts';
import { decodeRawRequest } from '../../base/oip/decode-raw.ts';
import type { DecodedInferRequest } from '../../base/oip/decoded-request.ts';
import { encodeInferResponse } from '../../base/oip/encode.ts';
import type { BufferOwner } from '../../base/tensor/owner.ts';
import { type CancelToken, NEVER_CANCELLED } from '../../base/util/cancel.ts';
import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { refuseClasses, withClasses } from '../classes.ts';
import { toInferRequest } from '../infer-request.ts';
import { clientLeft } from '../refusals.ts';
import { nameModel, type Tally } from '../tally.ts';
import type { HttpDeps } from './deps.ts';
import { decodeSegment, type InferPath } from './infer-path.ts';
import { requireMediaType } from './media-type.ts';
import { countAnswer, type Reply, withFallback } from './reply.ts';
import { contextFor, type RequestHead, type RequestLife } from './request-context.ts';

/**
 * What an inference over HTTP is, whichever reader took it from its connection: `readTarget` looks at the head,
 * `openCall` at the body, then `answerNow` and, where that gives nothing, `answerLater` ask the model.
 */

const ACCEPTED = ['application/json', 'application/octet-stream'] as const;

/** What the head asks for. */
export interface InferTarget {
  readonly name: string;
  readonly version: string | undefined;
  readonly served: ServedModel;
  /** Length of the JSON part; 0: the body is one tensor's bytes and nothing else; undefined: JSON throughout. */
  readonly headerLength: number | undefined;
}

/** How bodies are read and written; one that remembers the last ones spares work on a connection. */
export interface InferCodec {
  readonly decode: typeof decodeInferRequest;
  readonly encode: typeof encodeInferResponse;
}

const AFRESH: InferCodec = { decode: decodeInferRequest, encode: encodeInferResponse };

/** A body in memory. Whoever is given it releases the owner. */
export interface OwnedBody {
  readonly bytes: Uint8Array;
  readonly owner: BufferOwner;
}

/** A decoded request. Its owner is released with its reply, or by what throws. */
export interface InferCall {
  readonly decoded: DecodedInferRequest;
  readonly codec: InferCodec;
  readonly served: ServedModel;
  readonly request: InferRequest;
  readonly bodyBytes: number;
  /** Never cancelled: for the attempt that does not wait. */
  readonly context: RequestContext;
}

/** @throws NimifyError what can be said against the request before its body is there */
export function readTarget(deps: HttpDeps, head: RequestHead, path: InferPath, tally: Tally): InferTarget {
  const name = decodeSegment(path.model, 'model');
  const version = path.version === undefined ? undefined : decodeSegment(path.version, 'version');
  const served = deps.registry.find(name, version);
  nameModel(tally, served);
  return { name, version, served, headerLength: readForm(head) };
}

/**
 * The length of the JSON part, as in `InferTarget`.
 * @throws NimifyError UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT
 */
export function readForm(head: RequestHead): number | undefined {
  requireMediaType(head, ACCEPTED);
  const header = head.headers['inference-header-content-length'];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw invalidInput(
    `Inference-Header-Content-Length: expected the length of the JSON part in bytes, got '${header}'`,
    { where: 'Inference-Header-Content-Length', expected: 'integer of at least 0', got: header },
  );
}

/** @throws NimifyError what can be said against the body */
export function openCall(
  deps: HttpDeps,
  head: RequestHead,
  target: InferTarget,
  tally: Tally,
  { bytes, owner }: OwnedBody,
  codec: InferCodec = AFRESH,
): InferCall {
  const { requestId, arrivedAtNs, phases } = tally;
  const decodeFromNs = deps.clock.nowNs();
  try {
    const { headerLength, served } = target;
    const life = { requestId, arrivedAtNs, phases, cancel: NEVER_CANCELLED };
    refuseUnread(deps, head, target, tally, life, bytes);
    const decoded = headerLength === 0 ? decodeRaw(bytes, served) : codec.decode(bytes, headerLength);
    refuseClasses(decoded.outputs, served);
    const context = contextFor(head, tally.timeoutMs, life, decoded.parameters);
    const request = toInferRequest(decoded, target.name, target.version, owner);
    phases.decodeNs = deps.clock.nowNs() - decodeFromNs;
    return { decoded, codec, served, request, bodyBytes: bytes.byteLength, context };
  } catch (thrown) {
    owner.release();
    throw thrown;
  }
}

/** What a body must hold that says when its answer is wanted; a backslash may hide either. */
const WHEN_WANTED = ['"timeout"', '"priority"', '\\'] as const;

/**
 * Under overload most of the work would be to read those who are refused.
 * @throws NimifyError what the model says to whatever it is asked now
 */
function refuseUnread(
  { registry }: HttpDeps,
  head: RequestHead,
  { name, version, served, headerLength }: InferTarget,
  { timeoutMs }: Tally,
  life: RequestLife,
  body: Uint8Array,
): void {
  if (served.model.turnAway === undefined) return;
  const context = contextFor(head, timeoutMs, life, {});
  const asked = version === undefined ? { model: name } : { model: name, version };
  const refusal = registry.turnAway(asked, context, () => {
    const jsonBytes = Math.min(headerLength ?? body.byteLength, body.byteLength);
    const text = Buffer.from(body.buffer, body.byteOffset, jsonBytes);
    return WHEN_WANTED.every((word) => !text.includes(word));
  });
  if (refusal !== undefined) throw refusal;
}

/**
 * The answer where the model gives it at once; undefined: call `answerLater`.
 * @throws NimifyError
 */
export function answerNow(deps: HttpDeps, call: InferCall): Reply | undefined {
  let response: InferResponse | undefined;
  try {
    deps.memoryRoom.checkAnswer(call.served.name, call.bodyBytes);
    response = deps.registry.inferNow(call.request, call.context);
  } catch (thrown) {
    call.request.owner.release();
    throw thrown;
  }
  return response === undefined ? undefined : toReply(deps, response, call);
}

/** @throws NimifyError */
export async function answerLater(deps: HttpDeps, call: InferCall, cancel: CancelToken): Promise<Reply> {
  let response: InferResponse;
  const expected = deps.memoryRoom.expectAnswer(call.served.name, call.bodyBytes);
  try {
    response = await deps.registry.infer(call.request, { ...call.context, cancel });
  } catch (thrown) {
    call.request.owner.release();
    throw thrown;
  } finally {
    expected?.release();
  }
  if (!cancel.cancelled) return toReply(deps, response, call);
  letGo(response, call);
  throw clientLeft();
}

function decodeRaw(body: Uint8Array, served: ServedModel): DecodedInferRequest {
  const { inputs, batchAxis } = served.model.signature;
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw invalidInput(
      `Inference-Header-Content-Length: 0 announces one raw tensor, but '${served.name}' has ${inputs.length} inputs; describe them in a JSON part`,
      { where: 'Inference-Header-Content-Length', expected: 'a model with one input', got: inputs.length },
    );
  }
  return decodeRawRequest(body, { ...input, batchAxis });
}

function toReply(deps: HttpDeps, response: InferResponse, call: InferCall): Reply {
  const { phases } = call.context;
  if (phases.computeNs === 0) phases.computeNs = response.report.computeNs;
  const encodeFromNs = deps.clock.nowNs();
  try {
    const reply = countAnswer(encode(response, call), deps.memoryRoom, call.served.name);
    phases.encodeNs = deps.clock.nowNs() - encodeFromNs;
    return reply;
  } catch (thrown) {
    letGo(response, call);
    throw thrown;
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };

function encode(response: InferResponse, call: InferCall): Reply {
  const { model, version, id, parameters } = response;
  const { decoded, codec, served } = call;
  const outputs = withClasses(response.outputs, decoded.outputs, served);
  const isBinary = (name: string) =>
    decoded.outputs?.find((output) => output.name === name)?.binary ?? decoded.binaryByDefault;
  const { chunks, byteLength, headerLength } = codec.encode(
    { model, version, id, outputs, parameters },
    isBinary,
  );
  const headers =
    headerLength === undefined
      ? JSON_HEADERS
      : { 'content-type': 'application/octet-stream', 'inference-header-content-length': headerLength };
  const reply = { status: 200, headers, chunks, byteLength, release: () => letGo(response, call) };
  return withFallback(reply, response);
}

/** The request's buffers only now: a model may answer with views over its inputs. */
function letGo(response: InferResponse, call: InferCall): void {
  response.owner.release();
  call.request.owner.release();
}
