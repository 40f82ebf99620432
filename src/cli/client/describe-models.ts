import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createHttpClient } from '../../client/http-client.ts';
import type { ModelMetadata } from '../../client/metadata.ts';
import { answeringVersions } from '../../registry/versions.ts';
import { toModelPath } from '../serve/model-argument.ts';
import { servedModels } from '../served-models.ts';
import { withModels } from '../with-models.ts';
import type { DescribedModel } from './described-model.ts';

/**
 * What a server of these files would serve, or those of it that are wanted, by their newest version.
 * @throws NimifyError where a file cannot be served, or none is a model that is wanted
 */
export async function readFiles(
  paths: readonly string[],
  wanted: readonly string[],
): Promise<readonly DescribedModel[]> {
  const models = await withModels(paths.map(toModelPath), (served) =>
    answeringVersions(served).map(({ name, model: { signature } }) => ({
      name,
      inputs: signature.inputs,
      outputs: signature.outputs,
    })),
  );
  const names = models.map(({ name }) => name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined && models.length > 0) {
    return models.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  }
  const message =
    unknown === undefined
      ? `${paths.join(', ')}: there is no model that can be served`
      : `--models: expected one of ${names.join(', ')}, got '${unknown}'`;
  throw new NimifyError('MODEL_NOT_FOUND', message, { details: { where: '--models', expected: names } });
}

/**
 * What a server says of its models, or of those that are wanted.
 * @throws NimifyError where it cannot be reached, does not list its models or does not know one
 */
export async function askServer(url: string, wanted: readonly string[]): Promise<readonly DescribedModel[]> {
  const client = createHttpClient({ url });
  try {
    const names = wanted.length > 0 ? wanted : await servedModels(client);
    if (names.length === 0) {
      throw new NimifyError(
        'NOT_FOUND',
        `${url} does not say which models it serves; name them with --models`,
        {
          details: { where: '--models' },
        },
      );
    }
    return await Promise.all(names.map(async (name) => describe(await client.modelMetadata(name))));
  } finally {
    await client.close();
  }
}

/** The protocol tells no names of dimensions. */
function describe({ name, inputs, outputs }: ModelMetadata): DescribedModel {
  const toSpec = (tensor: ModelMetadata['inputs'][number]) => ({ ...tensor, dimensionNames: [] });
  return { name, inputs: inputs.map(toSpec), outputs: outputs.map(toSpec) };
}
