import {
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonValue,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { modelConfigJson } from '../../base/triton/read-model-config.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { servedConfig } from '../../registry/triton/served-config.ts';
import { extensionsOf, NO_SHARED_MEMORY, NO_TRACES } from '../extensions.ts';
import { misfit, shown, toLoadRequest } from '../load-request.ts';
import { type LogSettings, readLogSettings } from '../log-settings.ts';
import { readinessOf } from '../model-readiness.ts';
import { toModelStats } from '../model-stats.ts';
import type { GrpcDeps } from './deps.ts';
import { ModelConfigSchema } from './generated/inference/model_config_pb.ts';
import type { RepositoryModelLoadRequest } from './generated/inference/repository_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import type { LogSettingsRequest, LogSettingsResponseSchema } from './generated/inference/settings_pb.ts';
import { ModelStatisticsResponseSchema } from './generated/inference/statistics_pb.ts';
import { pathOf, type Serve, serveUnary } from './methods.ts';

type Methods = (typeof GRPCInferenceService)['method'];
type Inference = 'modelInfer' | 'modelStreamInfer';
type Answers = {
  readonly [Name in Exclude<keyof Methods, Inference>]: (
    request: MessageShape<Methods[Name]['input']>,
  ) => MessageInitShape<Methods[Name]['output']> | Promise<MessageInitShape<Methods[Name]['output']>>;
};

/** Every method of `inference.GRPCInferenceService` but the two that infer. */
export function createManagement(deps: GrpcDeps): ReadonlyMap<string, Serve> {
  const answers = answersOf(deps);
  return new Map(
    Object.entries(answers).map(([name, answer]) => {
      // `Answers` pairs each with its method; what is common to all of them is all that is known here.
      const method: DescMethod = GRPCInferenceService.method[name as keyof Answers];
      return [pathOf(method), serveUnary(method, answer as (request: Message) => Message | Promise<Message>)];
    }),
  );
}

function answersOf({ registry, cluster, version, log }: GrpcDeps): Answers {
  const find = (model: { readonly name: string; readonly version: string }) =>
    registry.find(model.name, given(model.version));
  const { control } = cluster;
  return {
    serverLive: () => ({ live: true }),
    serverReady: () => ({ ready: registry.isReady() }),
    // As in Triton no error: its clients ask after models that they have just unloaded.
    modelReady: ({ name, version }) => ({ ready: readinessOf(registry, name, given(version)) ?? false }),
    serverMetadata: () => ({ name: 'nimify', version, extensions: [...extensionsOf(log)] }),
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
    modelConfig: (request) => ({
      config: fromOwnJson(ModelConfigSchema, modelConfigJson(servedConfig(find(request)))),
    }),
    modelStatistics: async ({ name, version }) =>
      fromOwnJson(
        ModelStatisticsResponseSchema,
        toModelStats(await cluster.statistics(given(name), given(version))),
      ),
    async repositoryIndex({ repositoryName, ready }) {
      refuseRepository(repositoryName);
      return { models: [...(await control.index({ readyOnly: ready }))] };
    },
    async repositoryModelLoad({ repositoryName, modelName, parameters }) {
      refuseRepository(repositoryName);
      await control.load(modelName, toLoadRequest(valuesOf(parameters), readFile));
      return {};
    },
    async repositoryModelUnload({ repositoryName, modelName, parameters }) {
      refuseRepository(repositoryName);
      await control.unload(modelName, { unloadDependents: readUnloadDependents(parameters) });
      return {};
    },
    logSettings: async ({ settings }) => ({
      settings: fromLogSettings(
        Object.keys(settings).length === 0
          ? readLogSettings(log)
          : await cluster.changeLogSettings(toChanges(settings)),
      ),
    }),
    systemSharedMemoryStatus: refuse(NO_SHARED_MEMORY),
    systemSharedMemoryRegister: refuse(NO_SHARED_MEMORY),
    systemSharedMemoryUnregister: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryStatus: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryRegister: refuse(NO_SHARED_MEMORY),
    cudaSharedMemoryUnregister: refuse(NO_SHARED_MEMORY),
    traceSetting: refuse(NO_TRACES),
  };
}

/** In protobuf a text that nobody set is empty. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** What HTTP answers as JSON: its names, and the kinds of its values, are those of the message. */
function fromOwnJson<Desc extends DescMessage>(schema: Desc, json: object): MessageShape<Desc> {
  return fromJson(schema, json as JsonValue);
}

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

type GivenParameters = RepositoryModelLoadRequest['parameters'];
type ParameterValue = GivenParameters[string]['parameterChoice']['value'];

function valuesOf(parameters: GivenParameters): readonly (readonly [string, ParameterValue])[] {
  return Object.entries(parameters).map(([name, { parameterChoice }]) => [name, parameterChoice.value]);
}

function readFile(value: ParameterValue, where: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw misfit(where, 'the bytes of a file in bytes_param', shown(value));
}

function readUnloadDependents({ unload_dependents: asked }: GivenParameters): boolean {
  const value = asked?.parameterChoice.value ?? false;
  if (typeof value === 'boolean') return value;
  throw misfit('parameters.unload_dependents', 'true or false', shown(value));
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
