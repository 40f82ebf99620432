import type { IncomingMessage } from 'node:http';
import { expectEnd, scanObject, shorten } from '../../../base/oip/json-object.ts';
import { hasWord, skipValue } from '../../../base/oip/json-value.ts';
import { scanParameter, scanParameters } from '../../../base/oip/parameters.ts';
import { readBody } from '../body.ts';
import type { HttpDeps } from '../deps.ts';
import { requireMediaType } from '../media-type.ts';

export type ParameterValues = ReadonlyMap<string, string | number | boolean>;

const NONE: ParameterValues = new Map();

/**
 * The others are what clients say that are not told otherwise, curl's `-d` and Triton's for asyncio; the body is JSON
 * all the same.
 */
const ACCEPTED = ['application/json', 'application/x-www-form-urlencoded', 'application/octet-stream'];

/**
 * The body of a request that manages: an object of plain values; no body is as an empty object, null as nothing.
 * @throws NimifyError as `readBody` and `requireMediaType`, INVALID_INPUT
 */
export async function readSettings(request: IncomingMessage, deps: HttpDeps): Promise<ParameterValues> {
  const body = await readControlBody(request, deps);
  if (body.length === 0) return NONE;
  const settings = new Map<string, string | number | boolean>();
  const end = scanObject(body, 0, 'body', (key, at) => {
    if (hasWord(body, at, 'null')) return at + 4;
    const { value, end: valueEnd } = scanParameter(body, at, shorten(key));
    settings.set(key, value);
    return valueEnd;
  });
  expectEnd(body, end, 'body');
  return settings;
}

/**
 * The member `parameters` of such a body; what stands beside it is passed over, as everywhere in the protocol.
 * @throws NimifyError as `readSettings`
 */
export async function readParameters(request: IncomingMessage, deps: HttpDeps): Promise<ParameterValues> {
  const body = await readControlBody(request, deps);
  if (body.length === 0) return NONE;
  let parameters = NONE;
  const end = scanObject(body, 0, 'body', (key, at) => {
    if (key !== 'parameters') return skipValue(body, at, () => `body.${shorten(key)}`);
    if (hasWord(body, at, 'null')) return at + 4;
    const scanned = scanParameters(body, at, 'parameters');
    parameters = scanned.parameters;
    return scanned.end;
  });
  expectEnd(body, end, 'body');
  return parameters;
}

async function readControlBody(
  request: IncomingMessage,
  { options, clock, memoryRoom }: HttpDeps,
): Promise<Uint8Array> {
  requireMediaType(request, ACCEPTED);
  const { maxBodyBytes, receiveTimeoutMs } = options;
  const { bytes, claim } = await readBody(request, { maxBodyBytes, receiveTimeoutMs, clock, memoryRoom });
  // It is read within this turn, and forgotten.
  claim?.release();
  return bytes;
}
