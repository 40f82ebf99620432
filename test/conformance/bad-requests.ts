import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ModelInferRequestSchema } from '../../src/protocol/grpc/generated/inference/infer_pb.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
export const RAW = new Uint8Array(Float32Array.from(ROW).buffer);
export const TENSOR = { name: 'X', datatype: 'FP32', shape: [1n, 4n] };
export const TYPED = { ...TENSOR, contents: { fp32Contents: ROW } };
const JSON_TENSOR = { name: 'X', datatype: 'FP32', shape: [1, 4], data: ROW };

/** A request to infer that does not fit X FP32 [N,4] -> label INT64 [N], probabilities FP32 [N,3], the model of iris. */
export interface BadRequest {
  readonly grpc: MessageInitShape<typeof ModelInferRequestSchema>;
  /** Members of the body of the same over HTTP. */
  readonly http?: object;
  readonly words: string;
}

/** By what is wrong with them. */
export const BAD_REQUESTS: Readonly<Record<string, BadRequest>> = {
  'another datatype': {
    grpc: { inputs: [{ ...TENSOR, datatype: 'INT32', contents: { intContents: [1, 2, 3, 4] } }] },
    http: { inputs: [{ ...JSON_TENSOR, datatype: 'INT32', data: [1, 2, 3, 4] }] },
    words: 'inputs[0].datatype',
  },
  'an unknown datatype': {
    grpc: { inputs: [{ ...TYPED, datatype: 'FP8' }] },
    http: { inputs: [{ ...JSON_TENSOR, datatype: 'FP8' }] },
    words: 'inputs[0].datatype',
  },
  'another shape': {
    grpc: { inputs: [{ ...TYPED, shape: [4n] }] },
    http: { inputs: [{ ...JSON_TENSOR, shape: [4] }] },
    words: 'inputs[0].shape',
  },
  'a negative dimension': {
    grpc: { inputs: [{ ...TYPED, shape: [-1n, 4n] }] },
    http: { inputs: [{ ...JSON_TENSOR, shape: [-1, 4] }] },
    words: 'inputs[0].shape[0]',
  },
  'a shape whose product overflows': {
    grpc: { inputs: [{ ...TYPED, shape: [2n ** 40n, 2n ** 40n] }] },
    http: { inputs: [{ ...JSON_TENSOR, shape: [2 ** 40, 2 ** 40] }] },
    words: 'inputs[0].shape',
  },
  'a dimension of 2^63 - 1': {
    grpc: { inputs: [{ ...TYPED, shape: [2n ** 63n - 1n, 4n] }] },
    words: 'inputs[0].shape[0]',
  },
  'too many dimensions': {
    grpc: { inputs: [{ ...TYPED, shape: Array(10_000).fill(1n) }] },
    http: { inputs: [{ ...JSON_TENSOR, shape: Array(10_000).fill(1) }] },
    words: 'inputs[0].shape',
  },
  'too few elements': {
    grpc: { inputs: [{ ...TENSOR, contents: { fp32Contents: [1, 2, 3] } }] },
    http: { inputs: [{ ...JSON_TENSOR, data: [1, 2, 3] }] },
    words: 'expected 4 elements',
  },
  'too many elements': {
    grpc: { inputs: [{ ...TENSOR, contents: { fp32Contents: [1, 2, 3, 4, 5] } }] },
    http: { inputs: [{ ...JSON_TENSOR, data: [1, 2, 3, 4, 5] }] },
    words: 'expected 4 elements',
  },
  'elements in the field of another datatype': {
    grpc: { inputs: [{ ...TENSOR, contents: { intContents: [1, 2, 3, 4] } }] },
    words: 'inputs[0].contents',
  },
  'no inputs': { grpc: { inputs: [] }, http: { inputs: [] }, words: "'X'" },
  'an input that the model does not have': {
    grpc: { inputs: [TYPED, { ...TYPED, name: 'Y' }] },
    http: { inputs: [JSON_TENSOR, { ...JSON_TENSOR, name: 'Y' }] },
    words: "'Y'",
  },
  'an input without a name': {
    grpc: { inputs: [{ ...TYPED, name: '' }] },
    http: { inputs: [{ ...JSON_TENSOR, name: '' }] },
    words: 'inputs[0].name',
  },
  'an input twice': {
    grpc: { inputs: [TYPED, TYPED] },
    http: { inputs: [JSON_TENSOR, JSON_TENSOR] },
    words: 'inputs[1].name',
  },
  'an output that the model does not have': {
    grpc: { inputs: [TYPED], outputs: [{ name: 'nothing' }] },
    http: { inputs: [JSON_TENSOR], outputs: [{ name: 'nothing' }] },
    words: "'nothing'",
  },
  'raw contents beside typed contents': {
    grpc: { inputs: [TYPED], rawInputContents: [RAW] },
    words: 'inputs[0].contents',
  },
  'fewer raw contents than inputs': {
    grpc: { inputs: [TENSOR, { ...TENSOR, name: 'Y' }], rawInputContents: [RAW] },
    words: 'raw_input_contents: expected 2',
  },
  'more raw contents than inputs': {
    grpc: { inputs: [TENSOR], rawInputContents: [RAW, RAW] },
    words: 'raw_input_contents: expected 1',
  },
  'raw contents that are too short': {
    grpc: { inputs: [TENSOR], rawInputContents: [RAW.subarray(0, 15)] },
    words: 'raw_input_contents[0]: expected 16 bytes',
  },
  'raw contents that are too long': {
    grpc: { inputs: [TENSOR], rawInputContents: [new Uint8Array(17)] },
    words: 'raw_input_contents[0]: expected 16 bytes',
  },
  'raw contents of no bytes': {
    grpc: { inputs: [TENSOR], rawInputContents: [new Uint8Array(0)] },
    words: 'raw_input_contents[0]: expected 16 bytes',
  },
  'a priority that is none': {
    grpc: {
      inputs: [TYPED],
      parameters: { priority: { parameterChoice: { case: 'stringParam', value: 'high' } } },
    },
    http: { inputs: [JSON_TENSOR], parameters: { priority: 'high' } },
    words: 'parameters.priority',
  },
  'a timeout that is none': {
    grpc: {
      inputs: [TYPED],
      parameters: { timeout: { parameterChoice: { case: 'int64Param', value: -1n } } },
    },
    http: { inputs: [JSON_TENSOR], parameters: { timeout: -1 } },
    words: 'parameters.timeout',
  },
  'classes of a number that is none': {
    grpc: {
      inputs: [TYPED],
      outputs: [
        {
          name: 'probabilities',
          parameters: { classification: { parameterChoice: { case: 'stringParam', value: 'all' } } },
        },
      ],
    },
    http: {
      inputs: [JSON_TENSOR],
      outputs: [{ name: 'probabilities', parameters: { classification: 'all' } }],
    },
    words: 'classification',
  },
};
