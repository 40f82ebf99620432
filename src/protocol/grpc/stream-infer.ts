import { type NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodableResponse } from '../../base/oip/encode.ts';
import {
  type EncodedInferMessage,
  encodeModelStreamInferResponse,
  encodeStreamError,
} from '../../base/oip/encode-protobuf.ts';
import { FRAME_HEADER_BYTES } from '../../base/oip/grpc-frame.ts';
import { countOutcome, createTally, logFault, type Tally } from '../tally.ts';
import { type Call, respond, sendOne } from './call.ts';
import { answerCodingOf, type Coding } from './coding.ts';
import { createInbox, type ReceivedMessage } from './inbox.ts';
import { answerInfer, type InferAnswer } from './infer.ts';
import { rawAllocator } from './raw-memory.ts';
import { errorTrailers } from './status.ts';

const ROUTE = '/inference.GRPCInferenceService/ModelStreamInfer';

/**
 * `inference.GRPCInferenceService/ModelStreamInfer`: requests of one stream are answered one after the other, and
 * the next is read when the client has taken the answer to the last: whoever does not read holds one answer.
 *
 * As in Triton a request that fails is answered by `error_message`, and the stream goes on; with the metadata
 * `triton_grpc_error: true` it ends with the error's status instead.
 */
export async function serveModelStreamInfer(call: Call): Promise<void> {
  const coding = answerCodingOf(call.coding, call.headers['grpc-accept-encoding']);
  const endsOnError = call.headers.triton_grpc_error === 'true';
  let ending: NimifyError | undefined;
  const inbox = createInbox(call, rawAllocator(call.deps.pool));
  respond(call, coding);
  try {
    for (let index = 0; ; index += 1) {
      const received = await inbox.next();
      if (received === undefined) break;
      ending = await answerOne(call, received, index, coding, endsOnError);
      if (ending !== undefined) break;
    }
  } catch (thrown) {
    ending = toNimifyError(thrown);
  }
  call.stream.end(ending && errorTrailers(ending, call.requestId));
}

/** @returns what the stream is to end with; undefined: it goes on */
async function answerOne(
  call: Call,
  { message, isOwn, claim }: ReceivedMessage,
  index: number,
  coding: Coding,
  endsOnError: boolean,
): Promise<NimifyError | undefined> {
  const { deps, headers, deadlineAtNs } = call;
  const tally = createTally(deps, ROUTE, index === 0 ? call.requestId : `${call.requestId}/${index}`);
  deps.instruments.begin();
  let id = '';
  let answer: InferAnswer;
  try {
    const asked = { message, isOwn, claim, headers, deadlineAtNs, onId: (sent: string) => (id = sent) };
    answer = await answerInfer(deps, asked, tally, call, encodeFinal);
  } catch (thrown) {
    const error = toNimifyError(thrown);
    note(call, tally, error);
    if (endsOnError || call.hasLeft) return error;
    await sendOne(call, encodeStreamError(error.message, id, FRAME_HEADER_BYTES), coding);
    return undefined;
  }
  try {
    await sendOne(call, answer.encoded, coding);
    countOutcome(deps, tally, call.hasLeft ? 'CANCELLED' : 'OK');
  } finally {
    answer.release();
  }
  return undefined;
}

function note(call: Call, tally: Tally, error: NimifyError): void {
  const { hasLeft } = call;
  if (!hasLeft) logFault(call.deps, error, tally.requestId, tally.route);
  countOutcome(call.deps, tally, hasLeft ? 'CANCELLED' : error.code);
}

/** Every request has one answer, so each is the last to its own: clients of Triton look for that. */
function encodeFinal(response: EncodableResponse, headroomBytes: number): EncodedInferMessage {
  const parameters = { ...response.parameters, triton_final_response: true };
  return encodeModelStreamInferResponse({ ...response, parameters }, headroomBytes);
}
