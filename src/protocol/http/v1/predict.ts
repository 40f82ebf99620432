import { scanObjectMembers } from '../../../base/oip/json-object.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import type { InferResponse } from '../../../model/request.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import type { HttpDeps } from '../deps.ts';
import { inferText } from '../infer-text.ts';
import type { Exchange } from '../inference.ts';
import { JSON_BODY, requireMediaType } from '../media-type.ts';
import type { Reply } from '../reply.ts';
import { chooseModel } from './choose-model.ts';
import { stringMember, stringsMember, versionMember } from './members.ts';
import { encodeSimple } from './simple-reply.ts';
import { simpleInputs } from './simple-request.ts';
import { encodeTfReply } from './tf-reply.ts';
import { decodeTfRequest } from './tf-request.ts';
import { withWorkingExample } from './working-example.ts';

/** `POST /v1/predict`. */
export async function answerSimple(exchange: Exchange, deps: HttpDeps): Promise<Reply> {
  requireMediaType(exchange.request, JSON_BODY);
  const body = await exchange.body();
  const decodeFromNs = deps.clock.nowNs();
  const members = scanObjectMembers(body, 'body');
  const name = stringMember(body, members, 'model');
  const served = chooseModel(deps.registry, name, versionMember(body, members));
  return answer(exchange, deps, served, decodeFromNs, () => {
    const outputs = stringsMember(body, members, 'outputs');
    return {
      inputs: simpleInputs(body, members, served.model.signature),
      ...(outputs === undefined || outputs.length === 0 ? {} : { outputs }),
      encode: (response) => encodeSimple(response, served),
    };
  });
}

/** `POST /v1/models/{model}[/versions/{version}]:predict`. */
export async function answerTf(
  exchange: Exchange,
  deps: HttpDeps,
  name: string,
  version: string | undefined,
): Promise<Reply> {
  const served = deps.registry.find(name, version);
  exchange.setModel(served);
  requireMediaType(exchange.request, JSON_BODY);
  const body = await exchange.body();
  return answer(exchange, deps, served, deps.clock.nowNs(), () => {
    const { format, inputs } = decodeTfRequest(body, served.model.signature);
    return { inputs, encode: (response) => encodeTfReply(response.outputs, format) };
  });
}

interface Decoded {
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly string[];
  readonly encode: (response: InferResponse) => Uint8Array;
}

async function answer(
  exchange: Exchange,
  deps: HttpDeps,
  served: ServedModel,
  decodeFromNs: number,
  decode: () => Decoded,
): Promise<Reply> {
  const { phases } = exchange;
  exchange.setModel(served);
  try {
    const { encode, ...fields } = decode();
    const context = exchange.context({});
    phases.decodeNs = deps.clock.nowNs() - decodeFromNs;
    const { name, version } = served;
    const request = { model: name, version, id: '', parameters: {}, owner: exchange.owner(), ...fields };
    return await inferText(deps, exchange, request, context, (response) => toReply(encode(response)));
  } catch (thrown) {
    throw withWorkingExample(thrown, served);
  }
}

function toReply(chunk: Uint8Array): Reply {
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, chunks: [chunk], byteLength: chunk.byteLength };
}
