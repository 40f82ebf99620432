import type { TypedArray } from '../../../base/tensor/datatype.ts';
import { createOwner } from '../../../base/tensor/owner.ts';
import { isBytesData, type Tensor } from '../../../base/tensor/tensor.ts';
import type { InferCall } from '../infer-call.ts';
import type { Reply } from '../reply.ts';

/** What lies in the memory that all connections read into outlives the next read only as a copy. */

/** Does the view lie in `memory`? */
export function liesIn({ buffer }: Uint8Array, memory: Uint8Array): boolean {
  return buffer === memory.buffer;
}

/** The reply without views over `memory`: a model may answer with its inputs, and the system take them later. */
export function withOwnChunks(reply: Reply, memory: Uint8Array): Reply {
  if (!reply.chunks.some((chunk) => liesIn(chunk, memory))) return reply;
  const chunks = reply.chunks.map((chunk) => (liesIn(chunk, memory) ? Buffer.from(chunk) : chunk));
  return { ...reply, chunks };
}

/** The call with inputs of its own, where they were views over `memory`; whose they were is forgotten. */
export function withOwnInputs(call: InferCall, memory: Uint8Array): InferCall {
  const inputs = call.request.inputs.map((tensor): Tensor => {
    const { data } = tensor;
    if (!isBytesData(data)) return { ...tensor, data: own(data, memory) };
    return { ...tensor, data: { bytes: own(data.bytes, memory), offsets: own(data.offsets, memory) } };
  });
  return { ...call, request: { ...call.request, inputs, owner: createOwner() } };
}

/** `slice` is no copy on a Buffer, so this one is spelled out. */
function own<View extends TypedArray | Uint8Array | Uint32Array>(view: View, memory: Uint8Array): View {
  return view.buffer === memory.buffer
    ? (Object.getPrototypeOf(Uint8Array).prototype.slice.call(view) as View)
    : view;
}
