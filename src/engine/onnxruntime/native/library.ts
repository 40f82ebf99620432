import { join } from 'node:path';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { binaryFolder } from '../package.ts';
import { refuseTelemetry } from '../runtime.ts';
import { type Address, bindApi, type CApi } from './c-api.ts';
import { type Ffi, loadFfi } from './ffi.ts';

/** ONNX Runtime's library in this process, ready for sessions. */
export interface Library {
  readonly api: CApi;
  readonly version: string;
  /** Of its file. */
  readonly path: string;
  readonly env: Address;
  /** Where tensors over memory of ours are: OrtMemoryInfo of the CPU. */
  readonly memory: Address;
  readonly allocator: Address;
  /** Where the elements of a typed array are. They stay there; the array must be kept from being collected. */
  addressOf(array: NodeJS.ArrayBufferView): Address;
  /** Fills an array from native memory. */
  copyFrom(source: Address, into: NodeJS.ArrayBufferView): void;
  /** What ends with a zero byte there. */
  textAt(address: Address): string;
  /** @throws Error with the native text where there is an OrtStatus, which it releases */
  check(status: Address): void;
  /** What a function writes to the address it is given. @throws Error with the native text */
  made(call: (into: BigUint64Array) => Address): Address;
}

/** File names of the library that the add-on is linked against: it is to be loaded once. */
const NAMES: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

const C_LIBRARIES: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libc.so.6',
  darwin: '/usr/lib/libSystem.B.dylib',
  win32: 'msvcrt.dll',
};

/** Errors are answered and need not be printed. */
const LOG_FATAL = 4;
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

let loaded: Library | undefined;

/**
 * The library that onnxruntime-node ships, through its C API. The package itself need not be loaded for it; where it is,
 * before or after, both have the same copy and the same environment.
 * @throws NimifyError UNSUPPORTED where it cannot be loaded or called
 */
export function loadLibrary(): Library {
  loaded ??= load();
  return loaded;
}

function load(): Library {
  refuseTelemetry();
  const ffi = loadFfi();
  const { platform, arch } = process;
  try {
    const name = NAMES[platform];
    const cName = C_LIBRARIES[platform];
    if (name === undefined || cName === undefined) throw new Error(`no library is known for ${platform}`);
    return open(ffi, join(binaryFolder(), name), cName);
  } catch (cause) {
    throw new NimifyError(
      'UNSUPPORTED',
      `ONNX Runtime's library cannot be called on this machine (${platform} on ${arch})`,
      { cause },
    );
  }
}

function open(ffi: Ffi, path: string, cLibrary: string): Library {
  const { api, version } = bindApi(ffi, ffi.load(path));
  const c = ffi.load(cLibrary);
  const copy = c.func('memcpy', 'void', ['void *', 'uintptr_t', 'size_t']);
  const lengthAt = c.func('strlen', 'size_t', ['uintptr_t']);
  /** Off the JavaScript heap, so that it stays where it is. */
  const into = new BigUint64Array(new ArrayBuffer(8));

  function check(status: Address): void {
    if (status !== 0) throw failure(status);
  }

  function failure(status: Address): Error {
    const text = api.getErrorMessage(status);
    api.releaseStatus(status);
    return new Error(text);
  }

  function made(call: (into: BigUint64Array) => Address): Address {
    into[0] = 0n; // some write the lower half only
    check(call(into));
    return Number(into[0]);
  }

  function copyFrom(source: Address, array: NodeJS.ArrayBufferView): void {
    if (array.byteLength > 0) copy(array, source, array.byteLength);
  }

  return {
    ...{ api, version, path, check, made, copyFrom },
    addressOf: (array) => Number(ffi.address(array)),
    textAt(address) {
      const text = new Uint8Array(lengthAt(address));
      copyFrom(address, text);
      return new TextDecoder().decode(text);
    },
    env: made((out) => api.createEnv(LOG_FATAL, 'nimify', out)),
    memory: made((out) => api.createCpuMemoryInfo(DEVICE_ALLOCATOR, DEFAULT_MEMORY, out)),
    allocator: made((out) => api.getAllocatorWithDefaultOptions(out)),
  };
}
