import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NimifyError } from '../../../base/errors/nimify-error.ts';

/** nimify's own licence, in the fields of NIM's `/v1/license`. */
export interface License {
  readonly name: string;
  /** Relative to the installed package. */
  readonly path: string;
  /** SHA-1 of the content, hex, as NIM has it. */
  readonly sha: string;
  /** Characters in the content. */
  readonly size: number;
  readonly url: string;
  readonly type: 'file';
  readonly content: string;
}

/** `src/` and `dist/` lie equally deep in the package. */
const FILE = new URL('../../../../LICENSE', import.meta.url);

let loading: Promise<License> | undefined;

/** Reads the file on first use. @throws NimifyError NOT_FOUND where the installation lacks it */
export function readLicense(): Promise<License> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    throw new NimifyError(
      'NOT_FOUND',
      'this installation of nimify lacks its LICENSE file; install it anew',
      {
        cause,
      },
    );
  });
  return loading;
}

async function load(): Promise<License> {
  const content = await readFile(FILE, 'utf8');
  return {
    name: 'Apache-2.0',
    path: 'LICENSE',
    sha: createHash('sha1').update(content).digest('hex'),
    size: content.length,
    url: 'https://www.apache.org/licenses/LICENSE-2.0',
    type: 'file',
    content,
  };
}
