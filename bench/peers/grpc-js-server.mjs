/**
 * @grpc/grpc-js and onnxruntime-node, with nimify's generated messages: what a gRPC server on Node is without a
 * transport of its own. One FP32 input, FP32 outputs; no checks.
 *
 *   MODEL=model.onnx PORT=9000 node grpc-js-server.mjs
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import ort from 'onnxruntime-node';
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from '../../dist/protocol/grpc/generated/inference/infer_pb.js';

const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const [input] = session.inputNames;

async function modelInfer({ request }, answer) {
  const [raw] = request.rawInputContents;
  const data = new Float32Array(Uint8Array.from(raw).buffer);
  const results = await session.run({
    [input]: new ort.Tensor('float32', data, request.inputs[0].shape.map(Number)),
  });
  const outputs = session.outputNames.map((name) => [name, results[name]]);
  answer(
    null,
    create(ModelInferResponseSchema, {
      modelName: request.modelName,
      modelVersion: '1',
      outputs: outputs.map(([name, { dims }]) => ({ name, datatype: 'FP32', shape: dims.map(BigInt) })),
      rawOutputContents: outputs.map(([, tensor]) => {
        const { buffer, byteOffset, byteLength } = tensor.data;
        return new Uint8Array(buffer, byteOffset, byteLength);
      }),
    }),
  );
}

const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
const path = '/inference.GRPCInferenceService/ModelInfer';
server.addService(
  {
    modelInfer: {
      path,
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes) => fromBinary(ModelInferRequestSchema, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(ModelInferResponseSchema, message)),
    },
  },
  { modelInfer },
);
server.bindAsync(`127.0.0.1:${process.env.PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
