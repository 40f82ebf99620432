import type { DescMethod } from '@bufbuild/protobuf';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, replies } from '../expectations.ts';
import { probe, type Section, type Statement } from '../probe.ts';
import type { Target } from '../target.ts';

const { method } = GRPCInferenceService;

/** An operation by its path and its method, asked with nothing in particular. */
function operation(
  name: string,
  says: string,
  [verb, path]: readonly ['GET' | 'POST', string],
  called: DescMethod,
  body: object = {},
): Statement {
  const filled = path.replace('{region}', 'region').replace('{m}', 'iris');
  const call = (target: Target) => target.http(verb, filled, verb === 'POST' ? body : undefined);
  return {
    operation: name,
    says,
    http: probe(`${verb} ${path}`, call, answers(200)),
    grpc: probe(called.name, (target) => target.grpc(called, {}), replies()),
  };
}

const X = { name: 'X', datatype: 'FP32', shape: [1, 4] };
const REGION = { shared_memory_region: 'region', shared_memory_byte_size: 16 };
const GRPC_REGION = {
  shared_memory_region: { parameterChoice: { case: 'stringParam' as const, value: 'region' } },
};

function kinds(
  name: string,
  path: string,
  [status, register, unregister]: readonly [DescMethod, DescMethod, DescMethod],
) {
  return [
    operation(`${name} status`, 'the regions that are registered', ['GET', `v2/${path}/status`], status),
    operation(
      `${name} register`,
      'a region is known from then on',
      ['POST', `v2/${path}/region/{region}/register`],
      register,
      { key: '/region', offset: 0, byte_size: 64 },
    ),
    operation(
      `${name} unregister`,
      'a region, or each of them, is forgotten',
      ['POST', `v2/${path}/unregister`],
      unregister,
    ),
  ];
}

export const SHARED_MEMORY: Section = {
  title: 'Shared memory',
  source: 'triton-inference-server/server, docs/protocol/extension_shared_memory.md',
  file: 'not-offered',
  statements: [
    ...kinds('System shared memory', 'systemsharedmemory', [
      ...([method.systemSharedMemoryStatus, method.systemSharedMemoryRegister] as const),
      method.systemSharedMemoryUnregister,
    ]),
    ...kinds('CUDA shared memory', 'cudasharedmemory', [
      ...([method.cudaSharedMemoryStatus, method.cudaSharedMemoryRegister] as const),
      method.cudaSharedMemoryUnregister,
    ]),
    {
      operation: 'Inference',
      says: 'an input from a region',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => target.http('POST', 'v2/models/iris/infer', { inputs: [{ ...X, parameters: REGION }] }),
        answers(200),
      ),
      grpc: probe(
        'ModelInfer',
        (target) =>
          target.grpc(method.modelInfer, {
            modelName: 'iris',
            inputs: [{ name: 'X', datatype: 'FP32', shape: [1n, 4n], parameters: GRPC_REGION }],
          }),
        replies(),
      ),
    },
    {
      operation: 'Inference',
      says: 'an output into a region',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) =>
          target.http('POST', 'v2/models/iris/infer', {
            inputs: [{ ...X, data: [1, 2, 3, 4] }],
            outputs: [{ name: 'label', parameters: REGION }],
          }),
        answers(200),
      ),
      grpc: probe(
        'ModelInfer',
        (target) =>
          target.grpc(method.modelInfer, {
            modelName: 'iris',
            inputs: [
              { name: 'X', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: [1, 2, 3, 4] } },
            ],
            outputs: [{ name: 'label', parameters: GRPC_REGION }],
          }),
        replies(),
      ),
    },
  ],
};

export const TRACE: Section = {
  title: 'Trace',
  source: 'triton-inference-server/server, docs/protocol/extension_trace.md',
  file: 'not-offered',
  statements: [
    operation('Trace setting', 'the settings', ['GET', 'v2/trace/setting'], method.traceSetting),
    operation(
      'Trace setting',
      'those of a model change',
      ['POST', 'v2/models/{m}/trace/setting'],
      method.traceSetting,
      {
        trace_rate: '1',
      },
    ),
  ],
};
