import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { identityModel } from '../models.ts';
import { probe, type Section } from '../probe.ts';
import type { Target } from '../target.ts';
import { listed } from './extensions.ts';

const { repositoryIndex, repositoryModelLoad, repositoryModelUnload, modelReady, modelConfig } =
  GRPCInferenceService.method;

/** The model that comes and goes here. */
const NAME = 'control';
const LOAD = 'POST v2/repository/models/{m}/load';
const UNLOAD = 'POST v2/repository/models/{m}/unload';
const INDEX = 'POST v2/repository/index';

const load = (target: Target, parameters?: object) =>
  target.http('POST', `v2/repository/models/${NAME}/load`, parameters && { parameters });
const unload = (target: Target, parameters?: object) =>
  target.http('POST', `v2/repository/models/${NAME}/unload`, parameters && { parameters });
const text = (value: string) => ({ parameterChoice: { case: 'stringParam' as const, value } });
const bytes = (value: Uint8Array) => ({ parameterChoice: { case: 'bytesParam' as const, value } });
const flag = (value: boolean) => ({ parameterChoice: { case: 'boolParam' as const, value } });

const FILES_CONFIG = '{"backend": "onnxruntime", "max_batch_size": 2}';
const INSTEAD = Buffer.from(identityModel('INT32'));
const READY = expect.arrayContaining([
  expect.objectContaining({ name: 'iris', version: '1', state: 'READY' }),
]);
const NOT_LOADED = expect.arrayContaining([expect.objectContaining({ name: 'bf16', state: 'UNAVAILABLE' })]);

export const REPOSITORY: Section = {
  title: 'Model repository',
  source: 'triton-inference-server/server, docs/protocol/extension_model_repository.md',
  file: 'repository',
  statements: [
    listed('model_repository'),
    listed('model_repository(unload_dependents)', {
      missing: 'there are no ensembles, so that no model depends on another; the parameter is taken',
    }),
    {
      operation: 'Index',
      says: 'every model, loaded or not, with version, state and reason',
      http: probe(
        INDEX,
        (target) => target.http('POST', 'v2/repository/index'),
        (answer) => {
          answers(200, READY)(answer);
          answers(200, NOT_LOADED)(answer);
        },
      ),
      grpc: probe(
        'RepositoryIndex',
        (target) => target.grpc(repositoryIndex, {}),
        (answer) => {
          replies({ models: READY })(answer);
          replies({ models: NOT_LOADED })(answer);
        },
      ),
    },
    {
      operation: 'Index',
      says: 'with `ready` only models that are ready',
      http: probe(
        INDEX,
        (target) => target.http('POST', 'v2/repository/index', { ready: true }),
        (answer) => {
          answers(200, READY)(answer);
          const models = answer.body as { readonly state: string }[];
          expect(new Set(models.map(({ state }) => state))).toEqual(new Set(['READY']));
        },
      ),
      grpc: probe(
        'RepositoryIndex',
        (target) => target.grpc(repositoryIndex, { ready: true }),
        (answer) => {
          replies({ models: READY })(answer);
          expect(new Set(answer.message?.models.map(({ state }) => state))).toEqual(new Set(['READY']));
        },
      ),
    },
    {
      operation: 'Unload',
      says: 'the model is not ready any more',
      http: probe(
        UNLOAD,
        async (target) => {
          answers(200)(await load(target));
          answers(200)(await unload(target));
          return target.http('GET', `v2/models/${NAME}/ready`);
        },
        (answer) => expect(answer.status).toBeGreaterThanOrEqual(400),
      ),
      grpc: probe(
        'RepositoryModelUnload',
        async (target) => {
          replies()(await target.grpc(repositoryModelLoad, { modelName: NAME }));
          replies()(await target.grpc(repositoryModelUnload, { modelName: NAME }));
          return target.grpc(modelReady, { name: NAME });
        },
        replies({ ready: false }),
      ),
    },
    {
      operation: 'Unload',
      says: '`unload_dependents` is taken',
      http: probe(UNLOAD, (target) => unload(target, { unload_dependents: true }), answers(200)),
      grpc: probe(
        'RepositoryModelUnload',
        (target) =>
          target.grpc(repositoryModelUnload, {
            modelName: NAME,
            parameters: { unload_dependents: flag(true) },
          }),
        replies(),
      ),
    },
    {
      operation: 'Load',
      says: 'the model is ready when the answer comes',
      http: probe(
        LOAD,
        async (target) => {
          answers(200)(await load(target));
          return target.http('GET', `v2/models/${NAME}/ready`);
        },
        answers(200, { ready: true }),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          replies()(await target.grpc(repositoryModelUnload, { modelName: NAME }));
          replies()(await target.grpc(repositoryModelLoad, { modelName: NAME }));
          return target.grpc(modelReady, { name: NAME });
        },
        replies({ ready: true }),
      ),
    },
    {
      operation: 'Load',
      says: 'with `config`, by that configuration instead of the one in the repository',
      http: probe(
        LOAD,
        async (target) => {
          answers(200)(await load(target, { config: '{"max_batch_size": 4}' }));
          return target.http('GET', `v2/models/${NAME}/config`);
        },
        answers(200, { max_batch_size: 4 }),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          const parameters = { config: text('{"max_batch_size": "3"}') };
          replies()(await target.grpc(repositoryModelLoad, { modelName: NAME, parameters }));
          return target.grpc(modelConfig, { name: NAME });
        },
        replies({ config: { maxBatchSize: 3 } }),
      ),
    },
    {
      operation: 'Load',
      says: 'with `file:<version>/<file>` and `config`, from the files of the request',
      http: probe(
        LOAD,
        async (target) => {
          const files = { 'file:7/model.onnx': INSTEAD.toString('base64') };
          answers(200)(await load(target, { config: FILES_CONFIG, ...files }));
          return target.http('GET', `v2/models/${NAME}`);
        },
        answers(200, { versions: ['7'], inputs: [{ name: 'INPUT', datatype: 'INT32' }] }),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          const parameters = { config: text(FILES_CONFIG), 'file:8/model.onnx': bytes(INSTEAD) };
          replies()(await target.grpc(repositoryModelLoad, { modelName: NAME, parameters }));
          return target.grpc(GRPCInferenceService.method.modelMetadata, { name: NAME });
        },
        replies({ versions: ['8'], inputs: [{ name: 'INPUT', datatype: 'INT32' }] }),
      ),
    },
    {
      operation: 'Load',
      says: 'an error for a configuration that is none; what was served goes on',
      http: probe(
        LOAD,
        async (target) => {
          answers(200)(await load(target));
          const refused = await load(target, { config: '{"max_batch_size": ' });
          answers(200, { ready: true })(await target.http('GET', `v2/models/${NAME}/ready`));
          return refused;
        },
        refuses(400, `failed to load '${NAME}'`),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          replies()(await target.grpc(repositoryModelLoad, { modelName: NAME }));
          const parameters = { config: text('{"max_batch_size": ') };
          const refused = await target.grpc(repositoryModelLoad, { modelName: NAME, parameters });
          replies({ ready: true })(await target.grpc(modelReady, { name: NAME }));
          return refused;
        },
        fails(3, `failed to load '${NAME}'`),
      ),
    },
    {
      operation: 'Load',
      says: 'an error for a model that the repository does not have',
      http: probe(
        LOAD,
        (target) => target.http('POST', 'v2/repository/models/nobody/load'),
        refuses(404, "failed to load 'nobody'"),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        (target) => target.grpc(repositoryModelLoad, { modelName: 'nobody' }),
        fails(5, "failed to load 'nobody'"),
      ),
    },
    {
      operation: 'Load',
      says: 'nothing from outside the repository: neither by the name of the model nor by that of a file',
      http: probe(
        LOAD,
        async (target) => {
          refuses(400)(await target.http('POST', 'v2/repository/models/..%2Firis/load'));
          return load(target, { config: FILES_CONFIG, 'file:../1/model.onnx': 'AAAA' });
        },
        refuses(400, 'nothing outside is written'),
      ),
      grpc: probe(
        'RepositoryModelLoad',
        async (target) => {
          for (const modelName of ['../iris', '/etc', '..', '']) {
            fails(3, 'nothing outside is loaded')(await target.grpc(repositoryModelLoad, { modelName }));
          }
          const parameters = { config: text(FILES_CONFIG), 'file:../1/model.onnx': bytes(INSTEAD) };
          return target.grpc(repositoryModelLoad, { modelName: NAME, parameters });
        },
        fails(3, 'nothing outside is written'),
      ),
    },
    {
      operation: 'Unload',
      says: 'an error for a model that the repository does not have',
      http: probe(
        UNLOAD,
        (target) => target.http('POST', 'v2/repository/models/nobody/unload'),
        refuses(404, 'nobody'),
      ),
      grpc: probe(
        'RepositoryModelUnload',
        (target) => target.grpc(repositoryModelUnload, { modelName: 'nobody' }),
        fails(5, 'nobody'),
      ),
    },
    {
      operation: 'Index, Load, Unload',
      says: '`repository_name` chooses among several repositories',
      grpc: probe(
        'RepositoryModelLoad',
        (target) => target.grpc(repositoryModelLoad, { modelName: NAME, repositoryName: 'models' }),
        replies(),
      ),
    },
  ],
};
