import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readModelFile } from '../../../src/base/onnx/model-file.ts';
import { filesBelow, mutated } from '../mutation.ts';
import { checkRefusal, type FuzzTarget, require } from '../target.ts';

const MODEL_FILE = /\.(onnx|ort)$/;
const MAX_BYTES = 256 * 1024;

/** Any tree of fields in protobuf's wire format (protobuf.dev, "Encoding"), well-formed but for its meaning. */
const message: fc.Arbitrary<Uint8Array> = fc.letrec<{ message: Uint8Array; field: Uint8Array }>((tie) => ({
  message: fc.array(tie('field'), { maxLength: 6 }).map((fields) => Buffer.concat(fields)),
  field: fc
    .tuple(
      fc.oneof(fc.integer({ min: 1, max: 26 }), fc.integer({ min: 1, max: 536_870_911 })),
      fc.oneof(
        { depthSize: 'small' },
        fc.record({ type: fc.constant(0), bytes: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(varint) }),
        fc.record({ type: fc.constant(2), bytes: fc.string({ maxLength: 12 }).map(delimited) }),
        fc.record({ type: fc.constant(5), bytes: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
        fc.record({ type: fc.constant(1), bytes: fc.uint8Array({ minLength: 8, maxLength: 8 }) }),
        fc.record({ type: fc.constant(2), bytes: tie('message').map(delimited) }),
      ),
    )
    .map(([number, { type, bytes }]) => Buffer.concat([varint(BigInt(number * 8 + type)), bytes])),
})).message;

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

function delimited(content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

/** The reader of .onnx files (protobuf) and .ort files (flatbuffers). */
export function onnxTarget(dataFolder: string): FuzzTarget {
  const corpus = [
    ...filesBelow('test/fixtures', MODEL_FILE, MAX_BYTES),
    ...filesBelow('test/engine/fixtures', MODEL_FILE, MAX_BYTES),
    ...filesBelow('examples/demo', MODEL_FILE, MAX_BYTES),
    ...filesBelow(join(dataFolder, 'models'), MODEL_FILE, MAX_BYTES),
  ];
  const flat = corpus.filter((bytes) => Buffer.from(bytes).toString('latin1', 4, 8) === 'ORTM');
  const folder = mkdtempSync(join(tmpdir(), 'nimify-fuzz-'));
  const path = join(folder, 'model.onnx');
  return {
    name: 'onnx',
    inputs: fc.oneof(
      { arbitrary: mutated(corpus), weight: 4 },
      { arbitrary: mutated(flat), weight: 4 },
      message,
      message.map((graph) => Buffer.concat([Uint8Array.of(8, 8, 0x3a), delimited(graph)])),
      fc.uint8Array({ maxLength: 200 }),
    ),
    async run(input) {
      writeFileSync(path, input);
      try {
        const file = await readModelFile(path);
        require(Number.isSafeInteger(file.parameterCount), 'parameterCount is no count');
        for (const { shape } of [...file.inputs, ...file.outputs]) {
          require((shape ?? []).every(
            (size) => Number.isInteger(size) && size >= -1,
          ), `the shape [${shape}]`);
        }
        JSON.stringify(file);
      } catch (thrown) {
        checkRefusal(['INVALID_INPUT', 'UNSUPPORTED'], thrown);
      }
    },
    close: () => rm(folder, { recursive: true }),
  };
}
