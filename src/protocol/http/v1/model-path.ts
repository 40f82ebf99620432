import { decodeSegment } from '../infer-path.ts';

/** A path below `/v1/models/`, decoded. */
export interface ModelPath {
  readonly model: string;
  readonly version: string | undefined;
  /** What follows the last colon, such as `predict`. */
  readonly verb: string | undefined;
}

const PATH = /^([^/]+?)(?:\/versions\/([^/]+?))?(?:(?::|%3A)([a-z]+))?$/i;
const WITHOUT_VERB = /^([^/]+)(?:\/versions\/([^/]+))?$/;

/**
 * Takes `{model}[/versions/{version}][:verb]` apart; undefined where the path is none. Only a POST has a verb: a
 * model's name may itself hold a colon.
 * @param path what follows `/v1/models/`, still percent-encoded, without a query
 * @throws NimifyError INVALID_INPUT: broken percent-encoding
 */
export function parseModelPath(path: string, hasVerb: boolean): ModelPath | undefined {
  const match = (hasVerb ? PATH : WITHOUT_VERB).exec(path);
  if (match?.[1] === undefined) return undefined;
  return {
    model: decodeSegment(match[1], 'model'),
    version: match[2] === undefined ? undefined : decodeSegment(match[2], 'version'),
    verb: hasVerb ? match[3]?.toLowerCase() : undefined,
  };
}
