import { createJsonWriter } from '../../base/oip/json-writer.ts';
import { allocateTensorData } from '../../base/tensor/allocate.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import { dataLength, elementCount, type Tensor } from '../../base/tensor/tensor.ts';
import { createContext } from '../../model/context.ts';
import { createInferRequest } from '../../model/request.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { encodeSimple } from '../../protocol/http/v1/simple-reply.ts';
import { isReservedMember } from '../../protocol/http/v1/simple-request.ts';
import { writeValues } from '../../protocol/http/v1/write-values.ts';
import type { Registry, ServedModel } from '../../registry/contract.ts';
import { shellQuote } from '../shell-quote.ts';

/** A line for a shell that asks a served model, and what the server answers to it. */
export interface FirstCall {
  readonly command: string;
  /** The whole answer; it may be long. */
  readonly answer: string;
}

export interface FirstCallOptions {
  /** `curl` with the options that the server asks for, such as `curl -s`. */
  readonly curl: string;
  readonly url: string;
  readonly registry: Registry;
  /** Several models are served, so the request must say which is meant. */
  readonly isNamed: boolean;
}

/** More would not be read on a screen. */
const MAX_BODY_LENGTH = 1000;
const MAX_ELEMENTS = 200;

/**
 * The first call that a newcomer can make: the request of the model's self-test with the answer that it gave
 * then; where that request is too long to print, one full of zeros, asked now. Undefined where neither works.
 */
export async function firstCall(
  served: ServedModel,
  options: FirstCallOptions,
): Promise<FirstCall | undefined> {
  const { example } = served;
  if (example === undefined) return undefined;
  const count = example.inputs.reduce((sum, { data }) => sum + dataLength(data), 0);
  const envelope = envelopeOf(served, example.inputs, options.isNamed);
  const body = count <= MAX_ELEMENTS ? requestBody(example.inputs, envelope) : undefined;
  if (body !== undefined && body.length <= MAX_BODY_LENGTH) {
    return {
      command: `${options.curl} ${options.url}/v1/predict -d ${shellQuote(body)}`,
      answer: encodeAnswer(served, example.outputs),
    };
  }
  return zerosCall(served, example.inputs, options);
}

/** What stands before and after the values of the inputs in the body of `/v1/predict`. */
interface Envelope {
  readonly before: string;
  readonly after: string;
}

function envelopeOf(served: ServedModel, inputs: readonly Tensor[], isNamed: boolean): Envelope {
  const model = isNamed ? `"model":${JSON.stringify(served.name)},` : '';
  const isWrapped = inputs.some(({ name }) => isReservedMember(name));
  return isWrapped ? { before: `{${model}"inputs":{`, after: '}}' } : { before: `{${model}`, after: '}' };
}

function requestBody(inputs: readonly Tensor[], { before, after }: Envelope): string {
  const writer = createJsonWriter();
  for (const [index, input] of inputs.entries()) {
    if (index > 0) writer.ascii(',');
    writer.string(input.name);
    writer.ascii(':');
    writeValues(input, writer);
  }
  return before + Buffer.from(writer.take()).toString() + after;
}

/** A call with zeros for the model's one input. `awk` writes them: who has curl has it, and the line stays short. */
async function zerosCall(
  served: ServedModel,
  inputs: readonly Tensor[],
  options: FirstCallOptions,
): Promise<FirstCall | undefined> {
  const [input] = inputs;
  const spec = served.model.signature.inputs.find(({ name }) => name === input?.name);
  if (input === undefined || spec === undefined || inputs.length > 1) return undefined;
  const zeros = zerosFor(spec);
  if (zeros === undefined) return undefined;
  const answer = await answerTo(zeros, served, options.registry);
  if (answer === undefined) return undefined;
  const { before, after } = envelopeOf(served, inputs, options.isNamed);
  const open = awkString(`${before}${JSON.stringify(spec.name)}:[0`);
  const close = awkString(`]${after}`);
  const program = `BEGIN{print ${open};for(i=1;i<${dataLength(zeros.data)};i++)printf ",0";print ${close}}`;
  return { command: `awk ${shellQuote(program)} | ${options.curl} ${options.url}/v1/predict -d @-`, answer };
}

/** One row of zeros. Undefined where the server could not tell the shape from a flat list of them. */
function zerosFor(spec: TensorSpec): Tensor | undefined {
  if (spec.datatype === 'BYTES' || spec.datatype === 'BOOL' || spec.anyRank === true) return undefined;
  const shape = spec.shape.map((dimension, axis) => (axis === 0 && dimension === -1 ? 1 : dimension));
  if (shape.includes(-1)) return undefined;
  const { name, datatype } = spec;
  return { name, datatype, shape, data: allocateTensorData(datatype, elementCount(shape)) };
}

async function answerTo(input: Tensor, served: ServedModel, registry: Registry): Promise<string | undefined> {
  const { name: model, version } = served;
  try {
    const response = await registry.infer(
      createInferRequest({ model, version, inputs: [input] }),
      createContext(),
    );
    try {
      return encodeAnswer(served, response.outputs);
    } finally {
      response.owner.release();
    }
  } catch {
    // Zeros are no sensible request to every model; then there is just no call to show.
    return undefined;
  }
}

function awkString(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function encodeAnswer(served: ServedModel, outputs: readonly Tensor[]): string {
  const { name: model, version } = served;
  const report = { cache: 'none', computeNs: 0, cacheable: false } as const;
  const response = { model, version, id: '', outputs, parameters: {}, report, owner: createOwner() };
  return Buffer.from(encodeSimple(response, served)).toString();
}
