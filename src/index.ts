/**
 * nimify as a library: load a model and infer in process, or start and stop a server.
 * @packageDocumentation
 */
export { type ErrorDetails, NimifyError } from './base/errors/nimify-error.ts';
export { ERROR_TABLE, type ErrorCode } from './base/errors/table.ts';
export type { Logger } from './base/telemetry/log.ts';
export { toBytesData, toStrings } from './base/tensor/bytes.ts';
export { DATATYPES, type Datatype, type TypedArray } from './base/tensor/datatype.ts';
export { type BufferOwner, createOwner } from './base/tensor/owner.ts';
export type { BytesData, Tensor, TensorData } from './base/tensor/tensor.ts';
export { createContext, type RequestContext } from './model/context.ts';
export type { Model, ModelState, Policy } from './model/contract.ts';
export type { EngineOptions } from './model/engine.ts';
export type { InferReport, InferRequest, InferResponse } from './model/request.ts';
export { createInferRequest } from './model/request.ts';
export type { BatchAxis, Signature, TensorSpec } from './model/signature.ts';
export type { GrpcOptions } from './protocol/grpc/deps.ts';
export type { HttpOptions } from './protocol/http/deps.ts';
export type { TlsFiles } from './protocol/tls-files.ts';
export type { Registry, ServedExample, ServedModel } from './registry/contract.ts';
export type { ControlMode, IndexEntry, LoadRequest, ModelControl } from './registry/live/contract.ts';
export { type LoadModelOptions, loadModel } from './registry/load.ts';
export type { ModelSource } from './registry/repository.ts';
export {
  createServer,
  type RepositoryOptions,
  type RunningServer,
  type ServerOptions,
  type TlsSettings,
} from './server.ts';
