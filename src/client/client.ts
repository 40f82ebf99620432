/**
 * A client of any server that speaks the Open Inference Protocol, over HTTP or gRPC.
 * @packageDocumentation
 */
import type { Client, ClientOptions } from './contract.ts';
import { createGrpcClient } from './grpc-client.ts';
import { createHttpClient } from './http-client.ts';

export { NimifyError } from '../base/errors/nimify-error.ts';
export type { ErrorCode } from '../base/errors/table.ts';
export { toBytesData, toStrings } from '../base/tensor/bytes.ts';
export type { Datatype, TypedArray } from '../base/tensor/datatype.ts';
export { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from '../base/tensor/half.ts';
export type { BytesData, Tensor, TensorData } from '../base/tensor/tensor.ts';
export type {
  CallOptions,
  Client,
  ClientOptions,
  ClientTls,
  InferAnswer,
  InferCall,
  TextTensor,
} from './contract.ts';
export { createGrpcClient } from './grpc-client.ts';
export { createHttpClient, type HttpClient } from './http-client.ts';
export type { ModelMetadata, ServerMetadata, TensorMetadata } from './metadata.ts';
export type { RetryOptions } from './retry.ts';

/**
 * ```ts
 * const client = createClient({ url: 'grpc://127.0.0.1:8001' }); // or 'http://127.0.0.1:8000'
 * const input = { name: 'X', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) } as const;
 * const { outputs } = await client.infer({ model: 'iris', inputs: [input] });
 * await client.close();
 * ```
 * @throws NimifyError CONFIG_INVALID where `url` is no address of either kind
 */
export function createClient(options: ClientOptions): Client {
  return /^grpcs?:/i.test(options.url) ? createGrpcClient(options) : createHttpClient(options);
}
