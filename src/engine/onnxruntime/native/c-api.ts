import type { Ffi } from './ffi.ts';

/**
 * An address of native memory. In user space they have 47 bits, 56 where a program asks for more, which none here
 * does: a number holds them, and koffi passes numbers several times as fast as its own objects.
 */
export type Address = number;

const ADDRESS = 'uintptr_t';
const SIZE = 'size_t';
const INT = 'int';
const TEXT = 'str';
/** A typed array, by where its elements are. */
const ARRAY = 'void *';
const PATH = process.platform === 'win32' ? 'str16' : TEXT;

/**
 * Functions that answer with null or an OrtStatus: their place in `struct OrtApi` (onnxruntime_c_api.h), and what they
 * take. Its versions grow at the end only (onnxruntime_c_api.cc holds itself to that when it is compiled), so a place
 * stays; that these are the right ones is proven by the self-test, which calls each.
 */
const STATUS_FUNCTIONS = {
  createEnv: [3, [INT, TEXT, ARRAY]],
  createSession: [7, [ADDRESS, PATH, ADDRESS, ARRAY]],
  createSessionFromArray: [8, [ADDRESS, ARRAY, SIZE, ADDRESS, ARRAY]],
  run: [9, [ADDRESS, ADDRESS, ADDRESS, ADDRESS, SIZE, ADDRESS, SIZE, ADDRESS]],
  createSessionOptions: [10, [ARRAY]],
  enableCpuMemArena: [18, [ADDRESS]],
  disableCpuMemArena: [19, [ADDRESS]],
  setSessionLogSeverityLevel: [22, [ADDRESS, INT]],
  setSessionGraphOptimizationLevel: [23, [ADDRESS, INT]],
  setIntraOpNumThreads: [24, [ADDRESS, INT]],
  setInterOpNumThreads: [25, [ADDRESS, INT]],
  sessionGetInputCount: [30, [ADDRESS, ARRAY]],
  sessionGetOutputCount: [31, [ADDRESS, ARRAY]],
  sessionGetInputTypeInfo: [33, [ADDRESS, SIZE, ARRAY]],
  sessionGetOutputTypeInfo: [34, [ADDRESS, SIZE, ARRAY]],
  sessionGetInputName: [36, [ADDRESS, SIZE, ADDRESS, ARRAY]],
  sessionGetOutputName: [37, [ADDRESS, SIZE, ADDRESS, ARRAY]],
  createRunOptions: [39, [ARRAY]],
  runOptionsSetTerminate: [46, [ADDRESS]],
  runOptionsUnsetTerminate: [47, [ADDRESS]],
  createTensor: [48, [ADDRESS, ARRAY, SIZE, INT, ADDRESS]],
  createTensorWithData: [49, [ADDRESS, ARRAY, SIZE, ARRAY, SIZE, INT, ADDRESS]],
  getTensorMutableData: [51, [ADDRESS, ARRAY]],
  fillStringTensor: [52, [ADDRESS, ARRAY, SIZE]],
  getStringTensorDataLength: [53, [ADDRESS, ARRAY]],
  getStringTensorContent: [54, [ADDRESS, ARRAY, SIZE, ARRAY, SIZE]],
  castTypeInfoToTensorInfo: [55, [ADDRESS, ARRAY]],
  getOnnxTypeFromTypeInfo: [56, [ADDRESS, ARRAY]],
  getTensorElementType: [60, [ADDRESS, ARRAY]],
  getDimensionsCount: [61, [ADDRESS, ARRAY]],
  getDimensions: [62, [ADDRESS, ARRAY, SIZE]],
  getTensorTypeAndShape: [65, [ADDRESS, ARRAY]],
  createCpuMemoryInfo: [69, [INT, INT, ARRAY]],
  allocatorFree: [76, [ADDRESS, ADDRESS]],
  getAllocatorWithDefaultOptions: [78, [ARRAY]],
} as const satisfies Readonly<Record<string, readonly [number, readonly string[]]>>;

/** Functions that free what their argument points to; null is allowed. */
const RELEASE_FUNCTIONS = {
  releaseStatus: 93,
  releaseSession: 95,
  releaseValue: 96,
  releaseRunOptions: 97,
  releaseTypeInfo: 98,
  releaseTensorInfo: 99,
  releaseSessionOptions: 100,
} as const;

const GET_ERROR_MESSAGE = 2;

/** Version of the header that the places were taken from. A library that is newer speaks it too. */
const API_VERSION = 24;
const LAST_PLACE = 100;

interface ValueOf {
  [ADDRESS]: Address;
  [SIZE]: number;
  [INT]: number;
  [TEXT]: string;
  str16: string;
  [ARRAY]: NodeJS.ArrayBufferView;
}

type Values<Types extends readonly (keyof ValueOf)[]> = { -readonly [At in keyof Types]: ValueOf[Types[At]] };

/** A function called on this thread, or with `async` on one of libuv's. */
interface Callable<Args extends unknown[], Result> {
  (...args: Args): Result;
  async(...args: [...Args, done: (failure: unknown, result: Result) => void]): void;
}

/** ONNX Runtime's C API. Functions that answer with an address give an OrtStatus to be released, or 0. */
export type CApi = {
  readonly [Name in keyof typeof STATUS_FUNCTIONS]: Callable<
    Values<(typeof STATUS_FUNCTIONS)[Name][1]>,
    Address
  >;
} & { readonly [Name in keyof typeof RELEASE_FUNCTIONS]: Callable<[Address], void> } & {
  readonly getErrorMessage: (status: Address) => string;
};

export interface BoundApi {
  readonly api: CApi;
  /** Of the library, such as `1.30.0`. */
  readonly version: string;
}

/** What koffi made of a prototype is freed with it, though the functions made from it still are called. */
const prototypes: unknown[] = [];

/**
 * The functions of a library that is loaded.
 * @throws Error where it is none of ONNX Runtime, or too old
 */
export function bindApi(ffi: Ffi, library: ReturnType<Ffi['load']>): BoundApi {
  const pointers = (from: unknown, count: number) =>
    ffi.decode(from, ffi.array('void *', count)) as readonly unknown[];
  const bind = (pointer: unknown, result: string, args: readonly string[]) => {
    const prototype = ffi.proto(result, [...args]);
    prototypes.push(prototype);
    return ffi.decode(pointer, prototype) as (...args: unknown[]) => unknown;
  };
  const [getApi, getVersion] = pointers(library.func('OrtGetApiBase', 'void *', [])(), 2);
  const version = bind(getVersion, TEXT, [])() as string;
  const table = bind(getApi, 'void *', ['uint32_t'])(API_VERSION);
  if (table === null)
    throw new Error(`ONNX Runtime ${version} does not know version ${API_VERSION} of its API`);
  const places = pointers(table, LAST_PLACE + 1);
  const api = { getErrorMessage: bind(places[GET_ERROR_MESSAGE], TEXT, [ADDRESS]) } as Record<
    string,
    unknown
  >;
  for (const [name, [place, args]] of Object.entries(STATUS_FUNCTIONS))
    api[name] = bind(places[place], ADDRESS, args);
  for (const [name, place] of Object.entries(RELEASE_FUNCTIONS))
    api[name] = bind(places[place], 'void', [ADDRESS]);
  return { api: api as unknown as CApi, version };
}
