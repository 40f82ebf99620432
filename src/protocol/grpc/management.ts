import type { DescMethod, Message, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ModelState } from '../../model/contract.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { changeLogSettings, type LogSettings, readLogSettings } from '../log-settings.ts';
import { isModelReady } from '../model-readiness.ts';
import type { GrpcDeps } from './deps.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import type { LogSettingsRequest, LogSettingsResponseSchema } from './generated/inference/settings_pb.ts';
import { pathOf, type Serve, serveUnary } from './methods.ts';
import { modelConfigOf } from './model-config.ts';

type Methods = (typeof GRPCInferenceService)['method'];
type Inference = 'modelInfer' | 'modelStreamInfer';
type Answers = {
  readonly [Name in Exclude<keyof Methods, Inference>]: (
    request: MessageShape<Methods[Name]['input']>,
  ) => MessageInitShape<Methods[Name]['output']>;
};

/** Names that Triton gives to the extensions which work here. */
const EXTENSIONS = ['classification', 'model_configuration', 'logging'];

/** Triton's names of the states that a version is in. */
const STATES: Readonly<Record<ModelState, string>> = {
  loading: 'LOADING',
  ready: 'READY',
  degraded: 'READY',
  draining: 'UNLOADING',
  failed: 'UNAVAILABLE',
};

/** Every method of `inference.GRPCInferenceService` but the two that infer. */
export function createManagement(deps: GrpcDeps): ReadonlyMap<string, Serve> {
  const answers = answersOf(deps);
  return new Map(
    Object.entries(answers).map(([name, answer]) => {
      // `Answers` pairs each with its method; what is common to all of them is all that is known here.
      const method: DescMethod = GRPCInferenceService.method[name as keyof Answers];
      return [pathOf(method), serveUnary(method, answer as (request: Message) => Message)];
    }),
  );
}

function answersOf({ registry, version, log }: GrpcDeps): Answers {
  const find = (model: { readonly name: string; readonly version: string }) =>
    registry.find(model.name, model.version === '' ? undefined : model.version);
  return {
    serverLive: () => ({ live: true }),
    serverReady: () => ({ ready: registry.isReady() }),
    modelReady: ({ name, version }) => ({
      ready: isModelReady(registry, name, version === '' ? undefined : version),
    }),
    serverMetadata: () => ({ name: 'nimify', version, extensions: EXTENSIONS }),
    modelMetadata(request) {
      const { name, platform, model } = find(request);
      const { inputs, outputs } = model.signature;
      return {
        name,
        versions: registry.list().flatMap((other) => (other.name === name ? [other.version] : [])),
        platform,
        inputs: inputs.map(tensorOf),
        outputs: outputs.map(tensorOf),
      };
    },
    modelConfig: (request) => ({ config: modelConfigOf(find(request)) }),
    repositoryIndex({ repositoryName, ready }) {
      refuseRepository(repositoryName);
      const models = registry
        .list()
        .map(({ name, version, model }) => ({ name, version, state: STATES[model.state] }));
      return { models: models.filter(({ state }) => !ready || state === 'READY') };
    },
    logSettings: ({ settings }) => ({
      settings: fromLogSettings(
        Object.keys(settings).length === 0
          ? readLogSettings(log)
          : changeLogSettings(log, toChanges(settings)),
      ),
    }),
    modelStatistics: refuse(
      'statistics by model are not kept; what is counted is on the metrics port, at /metrics',
    ),
    repositoryModelLoad: refuse('models are loaded when the server starts; start it anew to change them'),
    repositoryModelUnload: refuse('models are served until the server ends; start it anew to change them'),
    systemSharedMemoryStatus: refuse(NO_SHARED_MEMORY),
    systemSharedMemoryRegister: refuse(NO_SHARED_MEMORY),
    systemSharedMemoryUnregister: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryStatus: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryRegister: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryUnregister: refuse(NO_SHARED_MEMORY),
    traceSetting: refuse('traces are not written, so there is nothing to set'),
  };
}

const NO_SHARED_MEMORY =
  'tensors in shared memory are not offered, since a client could name memory of this machine; send the elements in the message';

function refuse(reason: string): () => never {
  return () => {
    throw new NimifyError('UNSUPPORTED', reason);
  };
}

/** As in Triton, where nobody has more than one. */
function refuseRepository(name: string): void {
  if (name === '') return;
  throw new NimifyError(
    'UNSUPPORTED',
    `repository_name: expected none, got '${name.slice(0, 64)}'; leave it out`,
    {
      details: { where: 'repository_name' },
    },
  );
}

function tensorOf({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape: shape.map(BigInt) };
}

function toChanges(settings: LogSettingsRequest['settings']): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { parameterChoice }]) => [name, parameterChoice.value ?? '']),
  );
}

type SettingValues = NonNullable<MessageInitShape<typeof LogSettingsResponseSchema>['settings']>;

function fromLogSettings(settings: LogSettings): SettingValues {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]: [string, string | number | boolean]) => {
      if (typeof value === 'boolean')
        return [name, { parameterChoice: { case: 'boolParam' as const, value } }];
      if (typeof value === 'number')
        return [name, { parameterChoice: { case: 'uint32Param' as const, value } }];
      return [name, { parameterChoice: { case: 'stringParam' as const, value } }];
    }),
  );
}
