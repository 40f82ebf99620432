import { DataType } from '../../../../src/protocol/grpc/generated/inference/model_config_pb.ts';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import { listed } from './extensions.ts';

const { modelConfig } = GRPCInferenceService.method;

export const CONFIGURATION: Section = {
  title: 'Model configuration',
  source: 'triton-inference-server/server, docs/protocol/extension_model_configuration.md',
  file: 'configuration',
  statements: [
    listed('model_configuration'),
    {
      operation: 'Configuration',
      says: 'the ModelConfig: what `config.pbtxt` says, and the rest from the model',
      http: probe(
        'GET v2/models/{m}/config',
        (target) => target.http('GET', 'v2/models/iris/config'),
        answers(200, {
          ...{ name: 'iris', backend: 'onnxruntime', max_batch_size: 8 },
          version_policy: { all: {} },
          input: [{ name: 'X', data_type: 'TYPE_FP32', dims: [4] }],
          output: [
            { name: 'label', data_type: 'TYPE_INT64' },
            { name: 'probabilities', data_type: 'TYPE_FP32', dims: [3], label_filename: 'labels.txt' },
          ],
        }),
      ),
      grpc: probe(
        'ModelConfig',
        (target) => target.grpc(modelConfig, { name: 'iris' }),
        replies({
          config: {
            ...{ name: 'iris', backend: 'onnxruntime', maxBatchSize: 8 },
            versionPolicy: { policyChoice: { case: 'all' } },
            input: [{ name: 'X', dataType: DataType.TYPE_FP32, dims: [4n] }],
            output: [
              { name: 'label', dataType: DataType.TYPE_INT64 },
              {
                name: 'probabilities',
                dataType: DataType.TYPE_FP32,
                dims: [3n],
                labelFilename: 'labels.txt',
              },
            ],
          },
        }),
      ),
    },
    {
      operation: 'Configuration',
      says: 'the same for a version',
      http: probe(
        'GET v2/models/{m}/versions/{v}/config',
        (target) => target.http('GET', 'v2/models/iris/versions/1/config'),
        answers(200, { name: 'iris' }),
      ),
      grpc: probe(
        'ModelConfig',
        (target) => target.grpc(modelConfig, { name: 'iris', version: '1' }),
        replies({ config: { name: 'iris' } }),
      ),
    },
    {
      operation: 'Configuration',
      says: 'an error for a model that is not there',
      http: probe(
        'GET v2/models/{m}/config',
        (target) => target.http('GET', 'v2/models/nobody/config'),
        refuses(404, 'Request for unknown model'),
      ),
      grpc: probe(
        'ModelConfig',
        (target) => target.grpc(modelConfig, { name: 'nobody' }),
        fails(5, 'Request for unknown model'),
      ),
    },
  ],
};
