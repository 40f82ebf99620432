import fc from 'fast-check';
import type { Datatype } from '../../../src/base/tensor/datatype.ts';
import type { Signature } from '../../../src/model/signature.ts';
import { decodeGenerate } from '../../../src/protocol/http/extensions/generate-request.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';
import { checkJson, checkTensors, WORDS } from './oip.ts';

function spec(name: string, datatype: Datatype, shape: readonly number[]) {
  return { name, datatype, shape, dimensionNames: [], optional: true };
}

const SIGNATURE: Signature = {
  inputs: [
    spec('text', 'BYTES', [-1, 1]),
    spec('x', 'FP32', [-1, -1, 2]),
    spec('n', 'INT64', [1]),
    spec('e', 'INT8', [-1, 0]),
  ],
  outputs: [],
  batchAxis: 'none',
};

const SEEDS = [
  '{"text":"a","x":[1,2,3,4],"n":7,"e":[],"id":"r","parameters":{"stop":"b","n":1,"top":0.5}}',
  '{"text":["a","b"],"parameters":null,"id":null,"stream":false,"x":null}',
].map((text) => Buffer.from(text));

/** Bodies to /generate, for a model of which every input may be left out. */
export const generateTarget: FuzzTarget = {
  name: 'generate',
  inputs: fc.oneof(
    mutated(SEEDS, [...WORDS, '"text":', '"x":', '"n":', '"e":', '[]']),
    fc.uint8Array({ maxLength: 60 }),
  ),
  run(input) {
    const decoded = resultOrRefusal(['INVALID_INPUT'], () => decodeGenerate(input, SIGNATURE));
    if (decoded === undefined) return;
    checkJson(input, undefined);
    checkTensors(decoded.inputs);
    for (const { name, datatype, shape } of decoded.inputs) {
      const wanted = SIGNATURE.inputs.find((one) => one.name === name)!;
      require(wanted.datatype === datatype, `the datatype of ${name}`);
      require(wanted.shape.length === shape.length &&
        wanted.shape.every(
          (size, at) => size === -1 || size === shape[at],
        ), `the shape [${shape}] of ${name}`);
    }
  },
};
