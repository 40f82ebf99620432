import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidInput, NimifyError } from '../../base/errors/nimify-error.ts';
import { type DecodedInferRequest, decodeInferRequest, decodeRawRequest } from '../../base/oip/decode.ts';
import { encodeInferResponse } from '../../base/oip/encode.ts';
import { type BufferOwner, createOwner } from '../../base/tensor/owner.ts';
import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import type { HttpDeps } from './deps.ts';
import { decodeSegment, type InferPath } from './infer-path.ts';
import { type Exchange, serveInference } from './inference.ts';
import { requireMediaType } from './media-type.ts';
import type { Reply } from './reply.ts';
import { sequenceOf } from './request-context.ts';

const ROUTE = '/v2/models/{model}/infer';
const VERSION_ROUTE = '/v2/models/{model}/versions/{version}/infer';
const ACCEPTED = ['application/json', 'application/octet-stream'] as const;

/** `POST /v2/models/{model}[/versions/{version}]/infer`: the hot path, straight on node:http. Never rejects. */
export function serveInfer(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HttpDeps,
  path: InferPath,
): Promise<void> {
  const route = path.version === undefined ? ROUTE : VERSION_ROUTE;
  return serveInference(request, response, deps, route, (exchange) => answer(exchange, deps, path));
}

async function answer(exchange: Exchange, deps: HttpDeps, path: InferPath): Promise<Reply> {
  const { clock, registry } = deps;
  const name = decodeSegment(path.model, 'model');
  const version = path.version === undefined ? undefined : decodeSegment(path.version, 'version');
  // Before the body: an unknown model is refused without reading what was sent to it.
  const served = registry.find(name, version);
  exchange.setModel(served);
  requireMediaType(exchange.request, ACCEPTED);
  const headerLength = headerLengthOf(exchange.request);
  const body = await exchange.body(headerLength);

  const decodeFromNs = clock.nowNs();
  const decoded = headerLength === 0 ? decodeRaw(body, served) : decodeInferRequest(body, headerLength);
  const context = exchange.context(decoded.parameters);
  const owner = createOwner();
  const request = toInferRequest(decoded, name, version, owner);
  exchange.phases.decodeNs = clock.nowNs() - decodeFromNs;

  const response = await inferAndLetGo(registry.infer(request, context), owner);
  return encodeOrLetGo(response, decoded, context, deps);
}

/** The header is the length of the JSON part; 0 says that the body is one tensor's bytes and nothing else. */
function headerLengthOf(request: IncomingMessage): number | undefined {
  const header = request.headers['inference-header-content-length'];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw invalidInput(
    `Inference-Header-Content-Length: expected the length of the JSON part in bytes, got '${header}'`,
    { where: 'Inference-Header-Content-Length', expected: 'integer of at least 0', got: header },
  );
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

function toInferRequest(
  decoded: DecodedInferRequest,
  model: string,
  version: string | undefined,
  owner: BufferOwner,
): InferRequest {
  const { id, inputs, outputs, parameters } = decoded;
  const sequence = sequenceOf(parameters);
  for (const [i, output] of (outputs ?? []).entries()) {
    if (output.classification !== undefined) {
      throw new NimifyError(
        'UNSUPPORTED',
        `outputs[${i}].parameters.classification: '${output.name}' can be answered as a tensor only; leave the parameter out and pick the largest scores yourself`,
        { details: { where: `outputs[${i}].parameters.classification`, got: output.classification } },
      );
    }
  }
  return {
    model,
    ...(version === undefined ? {} : { version }),
    id,
    inputs,
    ...(outputs === undefined ? {} : { outputs: outputs.map((one) => one.name) }),
    parameters,
    ...(sequence === undefined ? {} : { sequence }),
    owner,
  };
}

async function inferAndLetGo(pending: Promise<InferResponse>, owner: BufferOwner): Promise<InferResponse> {
  try {
    return await pending;
  } finally {
    owner.release();
  }
}

function encodeOrLetGo(
  response: InferResponse,
  decoded: DecodedInferRequest,
  context: RequestContext,
  deps: HttpDeps,
): Reply {
  try {
    if (context.cancel.cancelled)
      throw new NimifyError('CANCELLED', 'the client left before its answer was there');
    const { phases } = context;
    if (phases.computeNs === 0) phases.computeNs = response.report.computeNs;
    const encodeFromNs = deps.clock.nowNs();
    const reply = encode(response, decoded);
    phases.encodeNs = deps.clock.nowNs() - encodeFromNs;
    return reply;
  } catch (thrown) {
    response.owner.release();
    throw thrown;
  }
}

function encode(response: InferResponse, decoded: DecodedInferRequest): Reply {
  const { model, version, id, outputs, parameters } = response;
  const isBinary = (name: string) =>
    decoded.outputs?.find((output) => output.name === name)?.binary ?? decoded.binaryByDefault;
  const encoded = encodeInferResponse({ model, version, id, outputs, parameters }, isBinary);
  const headers: Record<string, string | number> =
    encoded.headerLength === undefined
      ? { 'content-type': 'application/json' }
      : {
          'content-type': 'application/octet-stream',
          'inference-header-content-length': encoded.headerLength,
        };
  const { chunks, byteLength } = encoded;
  return { status: 200, headers, chunks, byteLength, release: () => response.owner.release() };
}
