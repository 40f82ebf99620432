import { NimifyError } from '../../base/errors/nimify-error.ts';
import { allocateUncleared } from '../../base/tensor/allocate.ts';
import type { FixedDatatype, TypedArray } from '../../base/tensor/datatype.ts';
import { type BufferOwner, createOwner } from '../../base/tensor/owner.ts';
import { concatRows, sliceRows } from '../../base/tensor/rows.ts';
import { isBytesData, type Tensor, type TensorData } from '../../base/tensor/tensor.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { Ticket } from './ticket.ts';

/** Buffers that batches are joined in, for hosts that hand none of them on. */
export interface JoinBuffers {
  /** Room for at least `count` elements, whose content is not defined. */
  take(datatype: FixedDatatype, count: number): TypedArray;
  give(datatype: FixedDatatype, data: TypedArray): void;
}

const MOST_KEPT = 4;
/** Larger ones are not worth their memory. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024;

/** Fresh memory costs as much again as the copy into it: every page of it is touched for the first time. */
export function createJoinBuffers(): JoinBuffers {
  const kept: { readonly datatype: FixedDatatype; readonly data: TypedArray }[] = [];
  return {
    take(datatype, count) {
      const at = kept.findIndex((each) => each.datatype === datatype && each.data.length >= count);
      return at < 0 ? allocateUncleared(datatype, count) : kept.splice(at, 1)[0]!.data;
    },
    give(datatype, data) {
      // One that was handed on all the same has no length any more.
      if (data.length === 0 || data.byteLength > MOST_KEPT_BYTES) return;
      // The oldest goes: sizes change with the load.
      if (kept.length === MOST_KEPT) kept.shift();
      kept.push({ datatype, data });
    },
  };
}

/**
 * One request for all of them, in order: one copy of their elements. Their shape class is the same, so that only rows
 * differ.
 *
 * @param runRows at least the rows of all; the last row is repeated to fill up
 * @param buffers where to take the room from; absent: fresh, so that a host may hand it on
 */
export function joinRequests(
  tickets: readonly Ticket[],
  rows: number,
  runRows: number,
  buffers?: JoinBuffers,
): InferRequest {
  const first = tickets[0]!.request;
  const taken: [FixedDatatype, TypedArray][] = [];
  const inputs = first.inputs.map(({ datatype }, at) => {
    if (datatype === 'BYTES') return joinBytes(tickets, at, runRows - rows);
    const count = elementsPerRow(tickets[0]!, at) * runRows;
    if (buffers === undefined) return joinFixed(tickets, at, runRows, allocateUncleared(datatype, count));
    const room = buffers.take(datatype, count);
    taken.push([datatype, room]);
    return joinFixed(tickets, at, runRows, room.length === count ? room : room.subarray(0, count));
  });
  const giveBack = () => {
    for (const [datatype, room] of taken) buffers?.give(datatype, room);
  };
  return { ...first, id: '', parameters: {}, inputs, owner: createOwner(giveBack) };
}

function elementsPerRow({ request, rows }: Ticket, at: number): number {
  return (request.inputs[at]!.data as TypedArray).length / rows;
}

function joinFixed(tickets: readonly Ticket[], at: number, runRows: number, room: TypedArray): Tensor {
  const { name, datatype, shape } = tickets[0]!.request.inputs[at]!;
  // Equal datatypes mean equal array types, so numbers never meet bigints here.
  const joined = room as Float32Array;
  let filled = 0;
  for (const { request } of tickets) {
    const part = request.inputs[at]!.data as Float32Array;
    joined.set(part, filled);
    filled += part.length;
  }
  const rowElements = joined.length / runRows;
  for (; filled < joined.length; filled += rowElements)
    joined.copyWithin(filled, filled - rowElements, filled);
  return { name, datatype, shape: [runRows, ...shape.slice(1)], data: room };
}

function joinBytes(tickets: readonly Ticket[], at: number, missing: number): Tensor {
  const parts = tickets.map(({ request }) => request.inputs[at]!);
  const last = parts[parts.length - 1]!;
  const lastRows = last.shape[0]!;
  for (let more = 0; more < missing; more++) parts.push(sliceRows(last, lastRows - 1, lastRows));
  return concatRows(parts);
}

/** An output of a run, ready to be cut into the rows of each request. */
interface Cut {
  readonly tensor: Tensor;
  readonly trailing: readonly number[];
  readonly rowElements: number;
}

/**
 * Ready to be cut; undefined where an output does not have the rows of the run: the model has no batch axis then,
 * whatever was said of it.
 */
export function cutOutputs({ outputs }: InferResponse, runRows: number): readonly Cut[] | undefined {
  const cuts: Cut[] = [];
  for (const tensor of outputs) {
    if (tensor.shape[0] !== runRows) return undefined;
    const trailing = tensor.shape.slice(1);
    cuts.push({ tensor, trailing, rowElements: trailing.reduce((product, size) => product * size, 1) });
  }
  return cuts;
}

/** Rows [from, from + rows) of every output, as views. */
export function rowsOfCuts(cuts: readonly Cut[], from: number, rows: number): readonly Tensor[] {
  const tensors: Tensor[] = [];
  for (const { tensor, trailing, rowElements } of cuts) {
    const { name, datatype } = tensor;
    const data = cutData(tensor.data, from * rowElements, (from + rows) * rowElements);
    tensors.push({ name, datatype, shape: [rows, ...trailing], data });
  }
  return tensors;
}

function cutData(data: TensorData, from: number, to: number): TensorData {
  return isBytesData(data)
    ? { bytes: data.bytes, offsets: data.offsets.subarray(from, to + 1) }
    : data.subarray(from, to);
}

/** Frees the run's answer and the joined inputs with the last of `holders`: a model may answer with views over its inputs. */
export function shareOwner(holders: number, response: InferResponse, request: InferRequest): BufferOwner {
  const owner = createOwner(() => {
    response.owner.release();
    request.owner.release();
  });
  for (let more = 1; more < holders; more++) owner.retain();
  return owner;
}

/** Consecutive pieces of at most `most` rows, as views; the request's owner must be held while they are in use. */
export function splitRequest(request: InferRequest, rows: number, most: number): readonly InferRequest[] {
  const pieces: InferRequest[] = [];
  for (let from = 0; from < rows; from += most) {
    const to = Math.min(rows, from + most);
    pieces.push({ ...request, inputs: request.inputs.map((input) => sliceRows(input, from, to)) });
  }
  return pieces;
}

/** The answer to the whole from those to its pieces, in order: one copy. Releases them. */
export function joinResponses(responses: readonly InferResponse[]): InferResponse {
  const first = responses[0]!;
  try {
    const outputs = first.outputs.map((_, at) => concatRows(responses.map((each) => each.outputs[at]!)));
    const computeNs = responses.reduce((sum, { report }) => sum + report.computeNs, 0);
    const { batchRows: _, ...report } = first.report;
    return { ...first, outputs, report: { ...report, computeNs }, owner: createOwner() };
  } catch (cause) {
    throw new NimifyError(
      'ENGINE_FAILED',
      'The answers to the parts of this request do not fit each other; send fewer rows at once',
      { cause },
    );
  } finally {
    for (const { owner } of responses) owner.release();
  }
}
