import { createRequire } from 'node:module';
import { NimifyError } from '../../base/errors/nimify-error.ts';

export type Runtime = typeof import('onnxruntime-node');

let loading: Promise<Runtime> | undefined;

/**
 * The onnxruntime-node package, loaded on first use: its native library takes 30 ms and 40 MB that a process
 * which only inspects or calls remote servers need not pay.
 * @throws NimifyError UNSUPPORTED where there is no build for this machine
 */
export function loadRuntime(): Promise<Runtime> {
  loading ??= load();
  return loading;
}

/**
 * ONNX Runtime 1.30 on Linux notes what it is used for, with an id of the machine, under ~/.cache/Microsoft, and
 * sends it to its maker. A server does not do that on its own account; who wants it sets the variable to 0.
 *
 * To be called on the main thread before any thread loads the library, which reads the variable then: what a thread
 * writes to `process.env` stays its own.
 */
export function refuseTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
}

async function load(): Promise<Runtime> {
  refuseTelemetry();
  try {
    // It is CommonJS: `import` would read each of its files twice, once to find what they export.
    const runtime = createRequire(import.meta.url)('onnxruntime-node') as Runtime;
    // Before the first session, which sets it for the whole process: errors are thrown and need not be printed.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (thrown) {
    loading = undefined;
    const machine = `${process.platform} on ${process.arch}`;
    throw new NimifyError(
      'UNSUPPORTED',
      `ONNX Runtime does not load on this machine (${machine}); it needs Linux with glibc, macOS or Windows, and ` +
        'the files of the package onnxruntime-node: reinstall nimify where they may be damaged',
      { cause: thrown },
    );
  }
}
