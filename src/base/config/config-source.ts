import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { NimifyError } from '../errors/nimify-error.ts';

export const CONFIG_FILE = 'nimify.yaml';

/** A configuration file as it lies on disk. */
export interface ConfigSource {
  readonly name: string;
  readonly text: string;
}

/** A configuration is written by hand; what is larger is another file. */
const MAX_BYTES = 2 ** 20;

/**
 * The file asked for, or `nimify.yaml` of the folder; undefined where none was asked for and none is there.
 * @param asker flag or variable that asks for it, for the error
 * @throws NimifyError CONFIG_INVALID
 */
export async function readConfigSource(
  folder: string,
  asked: { readonly name: string; readonly asker: string } | undefined,
): Promise<ConfigSource | undefined> {
  const name = asked?.name ?? CONFIG_FILE;
  const path = isAbsolute(name) ? name : join(folder, name);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) {
    if (asked === undefined) return undefined;
    throw unreadable(name, `there is no such file; mend ${asked.asker}`);
  }
  if (!info.isFile()) throw unreadable(name, 'expected a file, got a folder or a device');
  if (info.size > MAX_BYTES) throw unreadable(name, `expected at most ${MAX_BYTES} bytes, got ${info.size}`);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unreadable(name, 'this user may not read the file', cause);
  });
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw unreadable(name, 'expected text in UTF-8; save it in that encoding', cause);
  }
}

function unreadable(name: string, says: string, cause?: unknown): NimifyError {
  return new NimifyError('CONFIG_INVALID', `${name}: ${says}`, {
    details: { where: name },
    ...(cause === undefined ? {} : { cause }),
  });
}
