import { NimifyError } from '../base/errors/nimify-error.ts';
import type { HttpClient } from '../client/http-client.ts';

/** Names of the models on a server: nimify lists them, the protocol has no way to. Empty where nobody says. */
export async function servedModels(client: HttpClient): Promise<readonly string[]> {
  const list = await fromNimify(client, '/v1/models');
  if (typeof list !== 'object' || list === null || !('data' in list) || !Array.isArray(list.data)) return [];
  return list.data.flatMap((item: unknown) =>
    typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string' ? [item.id] : [],
  );
}

/** What one of nimify's own routes answers; undefined from a server that is none of ours. */
export async function fromNimify(client: HttpClient, path: string): Promise<unknown> {
  try {
    return await client.getJson(path);
  } catch (thrown) {
    const isOtherServer =
      thrown instanceof NimifyError &&
      (thrown.details?.status !== undefined || thrown.code === 'ENGINE_FAILED');
    if (isOtherServer) return undefined;
    throw thrown;
  }
}
