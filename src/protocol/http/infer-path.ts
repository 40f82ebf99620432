import { invalidInput } from '../../base/errors/nimify-error.ts';

/** Name and version as they stand in the path, still percent-encoded. */
export interface InferPath {
  readonly model: string;
  readonly version: string | undefined;
}

/** Template of the path, for the metrics. */
export function inferRouteOf(path: InferPath): string {
  return path.version === undefined
    ? '/v2/models/{model}/infer'
    : '/v2/models/{model}/versions/{version}/infer';
}

const PREFIX = '/v2/models/';
const SUFFIX = '/infer';
const VERSIONS = '/versions/';

/** A request target without scheme and host: proxies may send `http://host/path` (RFC 9112, 3.2.2). */
export function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1];
  if (path === undefined) return target;
  return path.startsWith('/') ? path : `/${path}`;
}

/** Recognizes `/v2/models/{model}[/versions/{version}]/infer`, whatever the query; undefined: another route. */
export function matchInferPath(url: string): InferPath | undefined {
  if (!url.startsWith(PREFIX)) return undefined;
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  if (!path.endsWith(SUFFIX)) return undefined;
  const middle = path.slice(PREFIX.length, -SUFFIX.length);
  const slash = middle.indexOf('/');
  if (slash < 0) return middle === '' ? undefined : { model: middle, version: undefined };
  if (slash === 0 || !middle.startsWith(VERSIONS, slash)) return undefined;
  const version = middle.slice(slash + VERSIONS.length);
  if (version === '' || version.includes('/')) return undefined;
  return { model: middle.slice(0, slash), version };
}

/**
 * A name from a path segment: names may hold anything, `/` as %2F included.
 * @throws NimifyError INVALID_INPUT
 */
export function decodeSegment(segment: string, where: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidInput(
      `${where}: expected percent-encoded UTF-8 in the path, got '${segment}'; encode the name as encodeURIComponent does`,
      { where, expected: 'percent-encoded UTF-8', got: segment },
    );
  }
}
