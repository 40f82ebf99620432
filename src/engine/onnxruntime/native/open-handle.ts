import { elementTypeOf } from '../../../base/onnx/element-type.ts';
import type { GraphOptimization } from '../../../model/engine.ts';
import type { SessionSource, SessionValue } from '../../host/session.ts';
import type { Address } from './c-api.ts';
import type { Library } from './library.ts';

/** A session of ONNX Runtime, whose runs may overlap. */
export interface SessionHandle {
  readonly address: Address;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  /** No run may be in flight. */
  close(): Promise<void>;
}

export interface NamedValue extends SessionValue {
  /** Of the name, as text that ends with a zero byte; until the session is closed. */
  readonly nameAddress: Address;
}

/** GraphOptimizationLevel of the C API. */
const LEVELS: Readonly<Record<GraphOptimization, number>> = { disabled: 0, basic: 1, extended: 2, all: 99 };
const LOG_FATAL = 4;
/** ONNXType of the C API. */
const TENSOR = 1;

/**
 * Loads a model on one of libuv's threads, so that the event loop goes on meanwhile.
 * @param model a file's path, or the model itself
 * @throws Error with the native text
 */
export async function openHandle(
  library: Library,
  model: string | Uint8Array,
  options: Omit<SessionSource, 'path' | 'providers'>,
): Promise<SessionHandle> {
  const { api, made } = library;
  const settings = made((out) => api.createSessionOptions(out));
  try {
    configure(library, settings, options);
    const address = await create(library, model, settings);
    const free = () => new Promise<void>((resolve) => api.releaseSession.async(address, () => resolve()));
    try {
      return describe(library, address, free);
    } catch (failed) {
      await free();
      throw failed;
    }
  } finally {
    api.releaseSessionOptions(settings);
  }
}

/** As `sessionOptions` says to the add-on. */
function configure(
  { api, check }: Library,
  settings: Address,
  { intraOpThreads, memoryArena = false, graphOptimization = 'all' }: Omit<SessionSource, 'path'>,
): void {
  check(api.setIntraOpNumThreads(settings, intraOpThreads));
  check(api.setInterOpNumThreads(settings, 1));
  check(api.setSessionGraphOptimizationLevel(settings, LEVELS[graphOptimization]));
  check(memoryArena ? api.enableCpuMemArena(settings) : api.disableCpuMemArena(settings));
  check(api.setSessionLogSeverityLevel(settings, LOG_FATAL));
}

function create(
  { api, env, check }: Library,
  model: string | Uint8Array,
  settings: Address,
): Promise<Address> {
  const made = new BigUint64Array(new ArrayBuffer(8));
  return new Promise((resolve, reject) => {
    const done = (failure: unknown, status: Address) => {
      try {
        if (failure) throw failure;
        check(status);
        resolve(Number(made[0]));
      } catch (refused) {
        reject(refused);
      }
    };
    if (typeof model === 'string') api.createSession.async(env, model, settings, made, done);
    else api.createSessionFromArray.async(env, model, model.byteLength, settings, made, done);
  });
}

function describe(library: Library, address: Address, free: () => Promise<void>): SessionHandle {
  const { api, made, allocator } = library;
  const names: Address[] = [];
  const values = (
    count: Address,
    nameOf: typeof api.sessionGetInputName,
    infoOf: typeof api.sessionGetInputTypeInfo,
  ) =>
    Array.from({ length: count }, (_, index): NamedValue => {
      const nameAddress = made((out) => nameOf(address, index, allocator, out));
      names.push(nameAddress);
      const info = made((out) => infoOf(address, index, out));
      try {
        return { name: library.textAt(nameAddress), nameAddress, datatype: datatypeOf(library, info) };
      } finally {
        api.releaseTypeInfo(info);
      }
    });
  const inputCount = made((out) => api.sessionGetInputCount(address, out));
  const outputCount = made((out) => api.sessionGetOutputCount(address, out));
  return {
    address,
    inputs: values(inputCount, api.sessionGetInputName, api.sessionGetInputTypeInfo),
    outputs: values(outputCount, api.sessionGetOutputName, api.sessionGetOutputTypeInfo),
    async close() {
      for (const name of names) api.allocatorFree(allocator, name);
      await free();
    },
  };
}

/** Undefined for what is no tensor, and for elements that no datatype holds. */
function datatypeOf({ api, made }: Library, info: Address): SessionValue['datatype'] {
  if (made((out) => api.getOnnxTypeFromTypeInfo(info, out)) !== TENSOR) return undefined;
  // It belongs to `info`.
  const tensor = made((out) => api.castTypeInfoToTensorInfo(info, out));
  return elementTypeOf(made((out) => api.getTensorElementType(tensor, out))).datatype;
}
