import type { FuzzTarget } from '../target.ts';
import { configTarget, envTarget } from './config.ts';
import { framesTarget } from './frames.ts';
import { generateTarget } from './generate.ts';
import { grpcCallTarget } from './grpc-call.ts';
import { grpcFramesTarget } from './grpc-frames.ts';
import { grpcInferTarget } from './grpc-infer.ts';
import { httpTarget } from './http.ts';
import { http2BytesTarget } from './http2-bytes.ts';
import { npyTarget } from './npy.ts';
import { rawTarget, requestTarget, responseTarget } from './oip.ts';
import { onnxTarget } from './onnx.ts';
import { textprotoTarget } from './textproto.ts';

/** Every reader of foreign bytes. Runs in the root of the checkout. */
export async function createTargets(dataFolder: string): Promise<readonly FuzzTarget[]> {
  return [
    onnxTarget(dataFolder),
    requestTarget(dataFolder),
    responseTarget,
    rawTarget,
    generateTarget,
    npyTarget,
    configTarget,
    envTarget,
    textprotoTarget,
    framesTarget,
    grpcInferTarget,
    grpcFramesTarget,
    await httpTarget(),
    await grpcCallTarget(),
    await http2BytesTarget(),
  ];
}
