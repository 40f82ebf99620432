import type { ModelState } from '../../../model/contract.ts';
import type { Registry, ServedModel } from '../../../registry/contract.ts';
import { answeringVersions } from '../../../registry/versions.ts';

/** `/v1/models`: OpenAI's list, which NIM uses, and beside it the names alone, as KServe's v1 protocol has them. */
export function modelList(registry: Registry) {
  const answering = answeringVersions(registry.list());
  return {
    object: 'list',
    data: answering.map(modelObject),
    models: answering.map((served) => served.name),
  };
}

/**
 * `/v1/models/{model}`: OpenAI's model object, KServe v1's `name` and `ready`, and TensorFlow Serving's
 * `model_version_status`, in one, and the class names by output. Without a version, the status covers all of them.
 * @throws NimifyError MODEL_NOT_FOUND
 */
export function modelStatus(registry: Registry, name: string, version: string | undefined) {
  const served = registry.find(name, version);
  const covered = version === undefined ? registry.list().filter((one) => one.name === name) : [served];
  return {
    ...modelObject(served),
    name,
    ready: registry.isModelReady(served),
    labels: served.labels,
    model_version_status: covered.map((one) => ({
      version: one.version,
      state: TF_STATE[one.model.state],
      status: { error_code: 'OK', error_message: '' },
    })),
  };
}

function modelObject(served: ServedModel) {
  return {
    id: served.name,
    object: 'model',
    created: Math.floor(served.loadedAtMs / 1000),
    owned_by: 'nimify',
    root: served.name,
    parent: null,
  };
}

/** The states of TensorFlow Serving's `ModelVersionStatus`. */
const TF_STATE: Readonly<Record<ModelState, string>> = {
  loading: 'LOADING',
  ready: 'AVAILABLE',
  degraded: 'AVAILABLE',
  draining: 'UNLOADING',
  failed: 'END',
};
