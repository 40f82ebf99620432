import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createHttpClient, type HttpClient } from '../../client/http-client.ts';
import { fromNimify, servedModels } from '../served-models.ts';
import type { PredictTarget, TargetOptions } from './target.ts';

/**
 * A model on a server. The address may be the server's, or that of a model on it, such as
 * `http://host:8000/v2/models/iris`.
 * @throws NimifyError where the server cannot be reached or does not say which model is meant
 */
export async function openServerTarget(address: string, options: TargetOptions): Promise<PredictTarget> {
  const { url, model: inAddress, version } = takeApart(address);
  const client = createHttpClient({
    url,
    // Who waits for one answer wants to know at once why there is none.
    retry: { attempts: 1 },
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  try {
    const model = options.model ?? inAddress ?? (await onlyModel(client));
    const metadata = await client.modelMetadata(model, version);
    return {
      inputs: metadata.inputs.map((input) => ({ ...input, dimensionNames: [] })),
      labels: await labelsOf(client, model, version),
      imageHints: [],
      infer: (inputs, outputs) =>
        client.infer({
          model,
          inputs,
          ...(version === undefined ? {} : { version }),
          ...(outputs === undefined ? {} : { outputs }),
        }),
      close: () => client.close(),
    };
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

interface Address {
  readonly url: string;
  readonly model: string | undefined;
  readonly version: string | undefined;
}

function takeApart(address: string): Address {
  const match = /^(.*?)\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/infer)?\/?$/.exec(address);
  if (match === null) return { url: address, model: undefined, version: undefined };
  const [, url = address, model, version] = match;
  return {
    url,
    model: model === undefined ? undefined : decodeURIComponent(model),
    version: version === undefined ? undefined : decodeURIComponent(version),
  };
}

/** Asks for the list of models, which nimify has and the protocol has not. */
async function onlyModel(client: HttpClient): Promise<string> {
  const names = await servedModels(client);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const known = names.length === 0 ? '' : `; it serves ${names.join(', ')}`;
  throw new NimifyError('INVALID_INPUT', `name the model with --model${known}`, {
    details: { where: '--model', ...(names.length === 0 ? {} : { expected: names }) },
  });
}

/** Class names by output; the protocol has no place for them, so other servers have none. */
async function labelsOf(
  client: HttpClient,
  model: string,
  version: string | undefined,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const path = `/v1/models/${encodeURIComponent(model)}`;
  const status = await fromNimify(
    client,
    version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`,
  );
  if (typeof status !== 'object' || status === null || !('labels' in status)) return {};
  if (typeof status.labels !== 'object' || status.labels === null) return {};
  return Object.fromEntries(
    Object.entries(status.labels).filter(
      (entry): entry is [string, string[]] =>
        Array.isArray(entry[1]) && entry[1].every((name) => typeof name === 'string'),
    ),
  );
}
