import { type NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { decodeModelInferRequest } from '../../base/oip/decode-protobuf.ts';
import type { RequestedOutput } from '../../base/oip/decoded-request.ts';
import { type EncodedInferMessage, encodeModelInferResponse } from '../../base/oip/encode-protobuf.ts';
import { checkSendSize, FRAME_HEADER_BYTES } from '../../base/oip/grpc-frame.ts';
import type { InferMessage } from '../../base/oip/infer-message.ts';
import { BORROWED, type BufferOwner } from '../../base/tensor/owner.ts';
import { NEVER_CANCELLED } from '../../base/util/cancel.ts';
import { ANONYMOUS, type RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse, Parameters } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { refuseClasses, wantsClasses, withClasses } from '../classes.ts';
import { priorityOf, timeoutNsOf } from '../infer-parameters.ts';
import { toInferRequest } from '../infer-request.ts';
import type { MemoryClaim } from '../memory-claims.ts';
import { clientLeft } from '../refusals.ts';
import { countOutcome, createTally, logFault, nameModel, type Tally } from '../tally.ts';
import { type Call, failCall, sendOnly } from './call.ts';
import type { CallDeps, GrpcDeps } from './deps.ts';
import type { Headers } from './http2/request-headers.ts';
import { ownerOf, rawAllocator } from './raw-memory.ts';
import { receiveOnly } from './unary.ts';

/** `inference.GRPCInferenceService/ModelInfer`: the hot path, which touches neither promises nor generated code. */
export function serveModelInfer(call: Call): void {
  const { deps } = call;
  const tally = createTally(deps, '/inference.GRPCInferenceService/ModelInfer', call.requestId);
  deps.instruments.begin();

  function send({ encoded, release, fallback }: InferAnswer): void {
    call.fallback = fallback;
    sendOnly(call, encoded, release);
    countOutcome(deps, tally, 'OK');
  }

  function fail(error: NimifyError): void {
    const { hasLeft } = call;
    if (!hasLeft) logFault(deps, error, tally.requestId, tally.route);
    failCall(call, error);
    countOutcome(deps, tally, hasLeft ? 'CANCELLED' : error.code);
  }

  call.onClose = () => {
    // The client left while its message came: nobody else will count it.
    if (call.waitingSinceNs !== undefined) countOutcome(deps, tally, 'CANCELLED');
  };
  receiveOnly(
    call,
    rawAllocator(deps.pool),
    (message, isOwn, claim) => {
      try {
        const asked = { message, isOwn, claim, headers: call.headers, deadlineAtNs: call.deadlineAtNs };
        const answer = answerInfer(deps, asked, tally, call, encodeModelInferResponse);
        if (answer instanceof Promise) answer.then(send, (thrown: unknown) => fail(toNimifyError(thrown)));
        else send(answer);
      } catch (thrown) {
        fail(toNimifyError(thrown));
      }
    },
    fail,
  );
}

/** One ModelInferRequest, and what came with it. */
export interface AskedInfer {
  readonly message: InferMessage;
  /** The message's buffers belong to nobody else, so that a host may hand them on. */
  readonly isOwn: boolean;
  /** To memory for it; undefined: it was too short to be counted. */
  readonly claim: MemoryClaim | undefined;
  readonly headers: Headers;
  readonly deadlineAtNs: number | undefined;
  /** Told the request's own id as soon as it is known. */
  readonly onId?: (id: string) => void;
}

export interface InferAnswer {
  readonly encoded: EncodedInferMessage;
  /** To be called once the chunks are no longer needed. */
  readonly release: () => void;
  /** Who answered instead of the model. */
  readonly fallback: string | undefined;
}

/** What a request that wants classes says of its outputs, and the model whose they are. */
interface WantedClasses {
  readonly outputs: readonly RequestedOutput[];
  readonly served: ServedModel;
}

/**
 * Decodes, asks the model, encodes; a promise only where the model does not answer at once.
 * @throws NimifyError, or rejects with it
 */
export function answerInfer(
  deps: CallDeps,
  asked: AskedInfer,
  tally: Tally,
  call: Pick<Call, 'cancel'>,
  encode: typeof encodeModelInferResponse,
): InferAnswer | Promise<InferAnswer> {
  if (asked.claim === undefined) deps.memoryRoom.checkShort('message');
  const owner = asked.isOwn ? ownerOf(asked, deps.pool) : BORROWED;
  const messageBytes = bytesOf(asked.message);
  let opened: OpenedCall;
  let response: InferResponse | undefined;
  try {
    opened = openCall(deps, asked, owner, tally);
    deps.memoryRoom.checkAnswer(tally.model, messageBytes);
    response = deps.registry.inferNow(opened.request, opened.context);
  } catch (refused) {
    owner.release();
    throw refused;
  }
  const { request, context, wanted } = opened;
  if (response !== undefined) return toAnswer(deps, response, request, tally, encode, wanted);
  const expected = deps.memoryRoom.expectAnswer(tally.model, messageBytes);
  const later = answerLater(deps, request, { ...context, cancel: call.cancel }, tally, encode, wanted);
  return expected === undefined ? later : later.finally(expected.release);
}

function bytesOf({ bytes, rawContents = [] }: InferMessage): number {
  let sum = bytes.byteLength;
  for (const raw of rawContents) sum += raw.byteLength;
  return sum;
}

interface OpenedCall {
  readonly request: InferRequest;
  readonly context: RequestContext;
  readonly wanted: WantedClasses | undefined;
}

/** @throws NimifyError what can be said against the message */
function openCall(
  { clock, registry }: CallDeps,
  asked: AskedInfer,
  owner: BufferOwner,
  tally: Tally,
): OpenedCall {
  const decodeFromNs = clock.nowNs();
  const decoded = decodeModelInferRequest(asked.message, (model, version, id) => {
    asked.onId?.(id);
    nameModel(tally, registry.find(model, version === '' ? undefined : version));
  });
  const { model, outputs, parameters } = decoded;
  const version = decoded.version === '' ? undefined : decoded.version;
  const wanted = wantsClasses(outputs) ? { outputs, served: registry.find(model, version) } : undefined;
  if (wanted !== undefined) refuseClasses(wanted.outputs, wanted.served);
  const request = toInferRequest(decoded, model, version, owner);
  const context = contextFor(asked, tally, parameters);
  tally.phases.decodeNs = clock.nowNs() - decodeFromNs;
  return { request, context, wanted };
}

async function answerLater(
  deps: GrpcDeps,
  request: InferRequest,
  context: RequestContext,
  tally: Tally,
  encode: typeof encodeModelInferResponse,
  wanted: WantedClasses | undefined,
): Promise<InferAnswer> {
  let response: InferResponse;
  try {
    response = await deps.registry.infer(request, context);
  } catch (thrown) {
    request.owner.release();
    throw thrown;
  }
  if (!context.cancel.cancelled) return toAnswer(deps, response, request, tally, encode, wanted);
  letGo(response, request);
  throw clientLeft();
}

function toAnswer(
  deps: GrpcDeps,
  response: InferResponse,
  request: InferRequest,
  { phases, model }: Tally,
  encode: typeof encodeModelInferResponse,
  wanted: WantedClasses | undefined,
): InferAnswer {
  if (phases.computeNs === 0) phases.computeNs = response.report.computeNs;
  const encodeFromNs = deps.clock.nowNs();
  try {
    const told = withFallback(response);
    const outputs = wanted && withClasses(response.outputs, wanted.outputs, wanted.served);
    const encoded = encode(outputs === undefined ? told : { ...told, outputs }, FRAME_HEADER_BYTES);
    checkSendSize(encoded.byteLength, deps.options.maxSendMessageBytes);
    phases.encodeNs = deps.clock.nowNs() - encodeFromNs;
    const { byteLength } = encoded;
    const claim = deps.memoryRoom.holdAnswer(byteLength, model);
    const { fallback } = response.report;
    return { encoded, release: () => letGo(response, request, claim), fallback };
  } catch (thrown) {
    letGo(response, request);
    throw thrown;
  }
}

/** In a stream the head is out already, so that the message itself says who gave it, where it was not the model. */
function withFallback(response: InferResponse): InferResponse {
  const { fallback } = response.report;
  if (fallback === undefined) return response;
  return { ...response, parameters: { ...response.parameters, nimify_fallback: fallback } };
}

/** The request's buffers only now: a model may answer with views over its inputs. */
function letGo(response: InferResponse, request: InferRequest, claim?: MemoryClaim): void {
  claim?.release();
  response.owner.release();
  request.owner.release();
}

/** Deadline: the smaller of OIP's parameter `timeout` and `grpc-timeout`, else the model's default. */
function contextFor(
  { headers, deadlineAtNs = Number.POSITIVE_INFINITY }: AskedInfer,
  { requestId, arrivedAtNs, phases, timeoutMs }: Tally,
  parameters: Parameters,
): RequestContext {
  const timeoutNs = timeoutNsOf(parameters) ?? Number.POSITIVE_INFINITY;
  const atNs = Math.min(deadlineAtNs, arrivedAtNs + timeoutNs);
  return {
    requestId,
    deadlineAtNs: Number.isFinite(atNs) ? atNs : arrivedAtNs + timeoutMs * 1e6,
    // For the attempt that does not wait.
    cancel: NEVER_CANCELLED,
    principal: ANONYMOUS,
    priority: priorityOf(parameters),
    // Metadata as it came: values of keys that end in -bin stay in base64.
    attributes: headers,
    phases,
  };
}
