/**
 * Who may import whom: a file may import files of its own row's part and of every row above it. Parts that share
 * a row do not know each other. Paths are below src/.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['base/errors'],
  ['base/tensor'],
  ['base/onnx'],
  ['base/wasm'],
  ['base/oip'],
  ['base/expression'],
  ['base/util'],
  ['base/textproto'],
  ['base/triton'],
  ['base/config'],
  ['base/telemetry'],
  ['model'],
  ['client'],
  ['engine', 'store'],
  ['policy', 'ensemble', 'guard'],
  ['registry'],
  ['control'],
  ['protocol'],
  ['server.ts'],
  ['index.ts', 'testing.ts'],
  ['cli'],
];

/** Folders whose subfolders do not import each other either. */
export const WALLS: readonly string[] = ['policy', 'protocol', 'store'];

/** Time and cancellation are so basic that everything may import them. */
export const FREE_FOR_ALL: readonly string[] = ['base/util/clock.ts', 'base/util/cancel.ts'];

/** Every third-party package, and the only places below src/ that may name it. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['engine/onnxruntime'],
  koffi: ['engine/onnxruntime/native'],
  fastify: ['protocol/http'],
  'swagger-ui-dist': ['protocol/http'],
  undici: ['client'],
  commander: ['cli'],
  picocolors: ['cli'],
  sharp: ['cli/image'],
  pino: ['base/telemetry'],
  yaml: ['base/config'],
  '@bufbuild/protobuf': ['protocol/grpc'],
};

/** What tests below src/ may import besides. */
export const TEST_PACKAGES: readonly string[] = ['vitest', 'fast-check', 'ajv', '@grpc/grpc-js'];

/** Written by a program, and read by nobody: rules about length and names do not hold there. */
export const GENERATED = 'protocol/grpc/generated/';

/** Words that say nothing about what a file holds. */
export const EMPTY_WORDS = /(^|[-.])(utils?|utilities|managers?|helpers?|misc|common)([-.]|$)/;

export const MAX_LINES = 500;
