/**
 * What onnxruntime-node 1.30.0 takes. Measured by loading one-node models of every version, CPU build;
 * the engine's own refusals name the same numbers ("max supported IR version: 13", "Current official support
 * for domain ai.onnx is till opset 26").
 */

export const ENGINE_NAME = 'onnxruntime-node 1.30';

export const MAX_IR_VERSION = 13;

/** Version of the ORT format; 7 and above are refused by name. */
export const MAX_ORT_VERSION = 6;

/** Highest version of each operator set that the engine knows. A domain that is not here has no bound. */
export const MAX_OPSET: ReadonlyMap<string, number> = new Map([
  ['ai.onnx', 26],
  ['ai.onnx.ml', 5],
  ['ai.onnx.training', 1],
  ['ai.onnx.preview', 1],
  ['ai.onnx.preview.training', 1],
  ['com.microsoft', 1],
  ['com.microsoft.experimental', 1],
  ['com.microsoft.nchwc', 1],
  ['com.ms.internal.nhwc', 26],
  ['org.pytorch.aten', 1],
]);

/** Domains whose operators are built into the engine. */
export const BUILT_IN_DOMAINS: ReadonlySet<string> = new Set([
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.experimental',
  'com.microsoft.nchwc',
  'com.microsoft.dml',
  'com.ms.internal.nhwc',
]);

/** Domains of the onnxruntime-extensions library (github.com/microsoft/onnxruntime-extensions). */
export const EXTENSION_DOMAINS: ReadonlySet<string> = new Set([
  'ai.onnx.contrib',
  'com.microsoft.extensions',
]);
