import { decodeModelInferRequest } from '../../../src/base/oip/decode-protobuf.ts';
import { createInferMessageSink, type InferMessage } from '../../../src/base/oip/infer-message.ts';
import { DATATYPES } from '../../../src/base/tensor/datatype.ts';
import { request } from '../../support/any-model-infer.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';
import { checkTensors } from './oip.ts';

/** Tags, numbers as varints have them at their ends, and lengths beyond every message. */
const WORDS = [
  ...['\u0008', '\u000a', '\u0012', '\u001a', '\u0022', '\u002a', '\u0032', '\u003a', '\u0042', '\u000b'],
  ...['\u0000', '\u0001', '\u007f', '\u0080\u0001', '\u00ff\u00ff\u00ff\u00ff\u000f'],
  ...[`${'\u00ff'.repeat(9)}\u0001`, '\u00ff'.repeat(11), `${'\u0080'.repeat(9)}\u0000`],
  ...['shared_memory_region', 'classification', ...DATATYPES],
];

/** The protobuf of a gRPC inference, read whole and as it arrives in pieces: with one result. */
export const modelInferTarget: FuzzTarget = {
  name: 'model-infer',
  inputs: request.chain((message) => mutated([message], WORDS)),
  run(input) {
    const whole = read(() => ({ bytes: input }));
    const pieces = read(() => {
      const sink = createInferMessageSink(input.length);
      for (let at = 0; at < input.length; at += 7) sink.push(input.subarray(at, at + 7));
      return sink.take();
    });
    require((whole === undefined) === (pieces === undefined), 'read in one way and refused in the other');
    for (const decoded of [whole, pieces]) if (decoded !== undefined) checkTensors(decoded.inputs);
  },
};

function read(message: () => InferMessage) {
  return resultOrRefusal(['INVALID_INPUT', 'UNSUPPORTED'], () => decodeModelInferRequest(message()));
}
