import { toConnectionError } from '../../client/connection-error.ts';
import { toResponseError } from '../../client/response-error.ts';

/**
 * The lines of an answer that goes on, each as soon as it is there; ends when the server does.
 * @throws NimifyError where the server cannot be reached, refuses, or breaks off
 */
export async function* followLines(url: string): AsyncGenerator<string> {
  const response = await fetch(url).catch((thrown: unknown) => {
    throw toConnectionError(thrown, url);
  });
  if (!response.ok || response.body === null) {
    const body = new Uint8Array(await response.arrayBuffer());
    throw toResponseError({ url, status: response.status, body });
  }
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (thrown) {
    throw toConnectionError(thrown, url);
  }
}
