/**
 * Triton's model configuration: the fields and types of `ModelConfig` in triton-inference-server/common,
 * protobuf/model_config.proto. The order is that of the file, so that JSON comes in it too.
 */
import {
  BOOL,
  choice,
  DOUBLE,
  enumType,
  INT32,
  INT64,
  type MessageOf,
  many,
  mapOf,
  messageType,
  one,
  STRING,
  UINT32,
  UINT64,
} from '../textproto/schema.ts';
import { DATA_TYPE } from './data-type.ts';
import { MODEL_SEQUENCE_BATCHING } from './sequence-batching.ts';

const RATE_LIMITER = messageType('ModelRateLimiter', {
  resources: many(
    messageType('ModelRateLimiter.Resource', { name: one(STRING), global: one(BOOL), count: one(UINT32) }),
  ),
  priority: one(UINT32),
});

const INSTANCE_GROUP = messageType('ModelInstanceGroup', {
  name: one(STRING),
  kind: one(enumType('ModelInstanceGroup.Kind', ['KIND_AUTO', 'KIND_GPU', 'KIND_CPU', 'KIND_MODEL'])),
  count: one(INT32),
  rate_limiter: one(RATE_LIMITER),
  gpus: many(INT32),
  secondary_devices: many(
    messageType('ModelInstanceGroup.SecondaryDevice', {
      kind: one(enumType('ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind', ['KIND_NVDLA'])),
      device_id: one(INT64),
    }),
  ),
  profile: many(STRING),
  passive: one(BOOL),
  host_policy: one(STRING),
});

const RESHAPE = messageType('ModelTensorReshape', { shape: many(INT64) });

const INPUT = messageType('ModelInput', {
  name: one(STRING),
  data_type: one(DATA_TYPE),
  format: one(enumType('ModelInput.Format', ['FORMAT_NONE', 'FORMAT_NHWC', 'FORMAT_NCHW'])),
  dims: many(INT64),
  reshape: one(RESHAPE),
  is_shape_tensor: one(BOOL),
  allow_ragged_batch: one(BOOL),
  optional: one(BOOL),
  is_non_linear_format_io: one(BOOL),
});

const OUTPUT = messageType('ModelOutput', {
  name: one(STRING),
  data_type: one(DATA_TYPE),
  dims: many(INT64),
  reshape: one(RESHAPE),
  label_filename: one(STRING),
  is_shape_tensor: one(BOOL),
  is_non_linear_format_io: one(BOOL),
});

const BATCH_INPUT = messageType('BatchInput', {
  kind: one(
    enumType('BatchInput.Kind', [
      'BATCH_ELEMENT_COUNT',
      'BATCH_ACCUMULATED_ELEMENT_COUNT',
      'BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO',
      'BATCH_MAX_ELEMENT_COUNT_AS_SHAPE',
      'BATCH_ITEM_SHAPE',
      'BATCH_ITEM_SHAPE_FLATTEN',
    ]),
  ),
  target_name: many(STRING),
  data_type: one(DATA_TYPE),
  source_input: many(STRING),
});

const BATCH_OUTPUT = messageType('BatchOutput', {
  target_name: many(STRING),
  kind: one(enumType('BatchOutput.Kind', ['BATCH_SCATTER_WITH_INPUT_SHAPE'])),
  source_input: many(STRING),
});

const VERSION_POLICY = messageType('ModelVersionPolicy', {
  latest: choice('policy_choice', messageType('ModelVersionPolicy.Latest', { num_versions: one(UINT32) })),
  all: choice('policy_choice', messageType('ModelVersionPolicy.All', {})),
  specific: choice('policy_choice', messageType('ModelVersionPolicy.Specific', { versions: many(INT64) })),
});

const CUDA_SHAPE = messageType('ModelOptimizationPolicy.Cuda.GraphSpec.Shape', { dim: many(INT64) });

const ACCELERATOR = messageType('ModelOptimizationPolicy.ExecutionAccelerators.Accelerator', {
  name: one(STRING),
  parameters: mapOf(STRING, STRING),
});

const PINNED_MEMORY = messageType('ModelOptimizationPolicy.PinnedMemoryBuffer', { enable: one(BOOL) });

const OPTIMIZATION = messageType('ModelOptimizationPolicy', {
  graph: one(messageType('ModelOptimizationPolicy.Graph', { level: one(INT32) })),
  priority: one(
    enumType('ModelOptimizationPolicy.ModelPriority', ['PRIORITY_DEFAULT', 'PRIORITY_MAX', 'PRIORITY_MIN']),
  ),
  cuda: one(
    messageType('ModelOptimizationPolicy.Cuda', {
      graphs: one(BOOL),
      busy_wait_events: one(BOOL),
      graph_spec: many(
        messageType('ModelOptimizationPolicy.Cuda.GraphSpec', {
          batch_size: one(INT32),
          input: mapOf(STRING, CUDA_SHAPE),
          graph_lower_bound: one(
            messageType('ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound', {
              batch_size: one(INT32),
              input: mapOf(STRING, CUDA_SHAPE),
            }),
          ),
        }),
      ),
      output_copy_stream: one(BOOL),
    }),
  ),
  execution_accelerators: one(
    messageType('ModelOptimizationPolicy.ExecutionAccelerators', {
      gpu_execution_accelerator: many(ACCELERATOR),
      cpu_execution_accelerator: many(ACCELERATOR),
    }),
  ),
  input_pinned_memory: one(PINNED_MEMORY),
  output_pinned_memory: one(PINNED_MEMORY),
  gather_kernel_buffer_threshold: one(UINT32),
  eager_batching: one(BOOL),
});

const QUEUE_POLICY = messageType('ModelQueuePolicy', {
  timeout_action: one(enumType('ModelQueuePolicy.TimeoutAction', ['REJECT', 'DELAY'])),
  default_timeout_microseconds: one(UINT64),
  allow_timeout_override: one(BOOL),
  max_queue_size: one(UINT32),
});

const DYNAMIC_BATCHING = messageType('ModelDynamicBatching', {
  preferred_batch_size: many(INT32),
  max_queue_delay_microseconds: one(UINT64),
  preserve_ordering: one(BOOL),
  priority_levels: one(UINT64),
  default_priority_level: one(UINT64),
  default_queue_policy: one(QUEUE_POLICY),
  priority_queue_policy: mapOf(UINT64, QUEUE_POLICY),
});

const ENSEMBLING = messageType('ModelEnsembling', {
  step: many(
    messageType('ModelEnsembling.Step', {
      model_name: one(STRING),
      model_version: one(INT64),
      input_map: mapOf(STRING, STRING),
      output_map: mapOf(STRING, STRING),
      model_namespace: one(STRING),
    }),
  ),
  max_inflight_responses: one(UINT32),
});

const WARMUP = messageType('ModelWarmup', {
  name: one(STRING),
  batch_size: one(UINT32),
  inputs: mapOf(
    STRING,
    messageType('ModelWarmup.Input', {
      data_type: one(DATA_TYPE),
      dims: many(INT64),
      zero_data: choice('input_data_type', BOOL),
      random_data: choice('input_data_type', BOOL),
      input_data_file: choice('input_data_type', STRING),
    }),
  ),
  count: one(UINT32),
});

const METRICS = messageType('ModelMetrics', {
  metric_control: many(
    messageType('ModelMetrics.MetricControl', {
      metric_identifier: one(
        messageType('ModelMetrics.MetricControl.MetricIdentifier', { family: one(STRING) }),
      ),
      histogram_options: choice(
        'metric_options',
        messageType('ModelMetrics.MetricControl.HistogramOptions', { buckets: many(DOUBLE) }),
      ),
    }),
  ),
});

const PARAMETER = messageType('ModelParameter', { string_value: one(STRING) });

export const MODEL_CONFIG = messageType('ModelConfig', {
  name: one(STRING),
  platform: one(STRING),
  backend: one(STRING),
  runtime: one(STRING),
  version_policy: one(VERSION_POLICY),
  max_batch_size: one(INT32),
  input: many(INPUT),
  output: many(OUTPUT),
  batch_input: many(BATCH_INPUT),
  batch_output: many(BATCH_OUTPUT),
  optimization: one(OPTIMIZATION),
  dynamic_batching: choice('scheduling_choice', DYNAMIC_BATCHING),
  sequence_batching: choice('scheduling_choice', MODEL_SEQUENCE_BATCHING),
  ensemble_scheduling: choice('scheduling_choice', ENSEMBLING),
  instance_group: many(INSTANCE_GROUP),
  default_model_filename: one(STRING),
  cc_model_filenames: mapOf(STRING, STRING),
  metric_tags: mapOf(STRING, STRING),
  parameters: mapOf(STRING, PARAMETER),
  model_warmup: many(WARMUP),
  model_operations: one(messageType('ModelOperations', { op_library_filename: many(STRING) })),
  model_transaction_policy: one(messageType('ModelTransactionPolicy', { decoupled: one(BOOL) })),
  model_repository_agents: one(
    messageType('ModelRepositoryAgents', {
      agents: many(
        messageType('ModelRepositoryAgents.Agent', { name: one(STRING), parameters: mapOf(STRING, STRING) }),
      ),
    }),
  ),
  response_cache: one(messageType('ModelResponseCache', { enable: one(BOOL) })),
  model_metrics: one(METRICS),
});

/** What a `config.pbtxt` says; only what it sets is there. */
export type ModelConfig = MessageOf<(typeof MODEL_CONFIG)['fields']>;
export type ConfigInput = MessageOf<(typeof INPUT)['fields']>;
export type ConfigOutput = MessageOf<(typeof OUTPUT)['fields']>;
export type ConfigVersionPolicy = MessageOf<(typeof VERSION_POLICY)['fields']>;
export type ConfigWarmup = MessageOf<(typeof WARMUP)['fields']>;
