import type { TypedArray } from '../../base/tensor/datatype.ts';
import { type BytesData, isBytesData, type Tensor, type TensorData } from '../../base/tensor/tensor.ts';

export interface Posted {
  readonly tensors: readonly Tensor[];
  /** Buffers that change hands: whoever posts them has them no more. */
  readonly transfer: readonly ArrayBuffer[];
}

/**
 * Inputs made ready to be posted to a thread. A posted view is cloned with all of the buffer beneath it, twice
 * copied; so what is not handed over is copied here, once, and the copy is handed over.
 *
 * @param mayDetach the request is the only holder of its buffers
 */
export function prepareInputs(tensors: readonly Tensor[], mayDetach: boolean): Posted {
  const transfer = new Set<ArrayBuffer>();
  const given = mayDetach ? transferable(tensors) : NONE;

  function pass<Kind extends View>(view: Kind): Kind {
    const { buffer } = view;
    if (buffer instanceof ArrayBuffer && given.has(buffer)) {
      transfer.add(buffer);
      return view;
    }
    const isSmallWhole = view.byteLength === buffer.byteLength && view.byteLength < CLONE_BELOW_BYTES;
    if (isSmallWhole && buffer instanceof ArrayBuffer) return view;
    const copy = copyOf(view);
    transfer.add(copy.buffer as ArrayBuffer);
    return copy;
  }

  const ready = tensors.map((tensor) => ({ ...tensor, data: mapViews(tensor.data, pass) }));
  return { tensors: ready, transfer: [...transfer] };
}

/** A run's outputs: their buffers are the run's own, so all of them are handed over. */
export function prepareOutputs(tensors: readonly Tensor[]): Posted {
  const transfer = new Set<ArrayBuffer>();
  for (const tensor of tensors) {
    for (const view of viewsOf(tensor.data)) {
      if (view.buffer instanceof ArrayBuffer) transfer.add(view.buffer);
    }
  }
  return { tensors, transfer: [...transfer] };
}

/** Below it, cloning a buffer costs no more than handing it over. */
const CLONE_BELOW_BYTES = 4096;
/** Below it, a copy costs less than the risk is worth: small buffers may be parts of a slab that others use. */
const TRANSFER_FROM_BYTES = 64 * 1024;

const NONE: ReadonlySet<ArrayBuffer> = new Set();

/**
 * Buffers that may go: large, no slab of Node's Buffer pool, and at least half filled by these tensors (a body
 * with its tensors in it is; a large buffer of which one row is sent is not).
 */
function transferable(tensors: readonly Tensor[]): ReadonlySet<ArrayBuffer> {
  const usedBytes = new Map<ArrayBuffer, number>();
  for (const tensor of tensors) {
    for (const { buffer, byteLength } of viewsOf(tensor.data)) {
      if (!(buffer instanceof ArrayBuffer)) continue;
      if (buffer.byteLength < TRANSFER_FROM_BYTES || buffer.byteLength === Buffer.poolSize) continue;
      usedBytes.set(buffer, (usedBytes.get(buffer) ?? 0) + byteLength);
    }
  }
  return new Set(
    [...usedBytes].filter(([buffer, used]) => used * 2 >= buffer.byteLength).map(([buffer]) => buffer),
  );
}

/** Any of the typed arrays, over any buffer. */
type View = TypedArray | BytesData['bytes'] | BytesData['offsets'];

function viewsOf(data: TensorData): readonly View[] {
  return isBytesData(data) ? [data.bytes, data.offsets] : [data];
}

function mapViews(data: TensorData, pass: <Kind extends View>(view: Kind) => Kind): TensorData {
  return isBytesData(data) ? { bytes: pass(data.bytes), offsets: pass(data.offsets) } : pass(data);
}

/** `slice` copies for every typed array but a Buffer, whose own `slice` is a view. */
function copyOf<Kind extends View>(view: Kind): Kind {
  return (view instanceof Uint8Array ? Uint8Array.prototype.slice.call(view) : view.slice()) as Kind;
}
