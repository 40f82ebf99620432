import { decodeHttp } from '../soak/http-messages.mjs';

/** That have to say when to come back. */
const BUSY = new Set([429, 503]);
const TOO_LATE = 504;

/**
 * What became of a request:
 * - `correct`: the right answer, within its deadline; `late`: the right one, after it;
 * - `refused`: told at once that it cannot be answered, with the truth: 504, or 429 and 503 with a `Retry-After`;
 * - `failed`: told that it failed, or anything else, although nothing was wrong with it;
 * - `lost`: no answer at all; `wrong`: somebody else's answer, or one that nobody has asked for.
 */
export const OUTCOMES = ['correct', 'late', 'refused', 'failed', 'lost', 'wrong'];

/** @returns `{is, says}`: one of OUTCOMES, and what came where it is none of the first three */
export function outcomeOf(request, { answer, lost }, latencyMs) {
  if (lost !== undefined) return { is: 'lost', says: lost };
  const { status, headers } = answer;
  let decoded;
  try {
    decoded = decodeHttp(answer);
  } catch (error) {
    return { is: status === 200 ? 'wrong' : 'failed', says: `status ${status}, ${error.message}` };
  }
  if (status !== 200) {
    const isTrue = status === TOO_LATE || (BUSY.has(status) && Number(headers['retry-after']) >= 1);
    return isTrue
      ? { is: 'refused', says: decoded.code }
      : { is: 'failed', says: `${status} ${decoded.code}` };
  }
  const difference = differenceOf(request, decoded.answer);
  if (difference !== undefined) return { is: 'wrong', says: difference };
  return { is: latencyMs <= request.deadlineMs ? 'correct' : 'late' };
}

/** Undefined where the answer is that of this request, bit for bit. */
function differenceOf({ number, expected }, { id, outputs }) {
  if (id !== String(number)) return `the answer to request ${id}`;
  for (const { name, bytes } of expected) {
    const output = outputs.find((one) => one.name === name);
    if (output === undefined) return `no output ${name}`;
    if (Buffer.compare(output.bytes, bytes) !== 0) return `another ${name} than that of its inputs`;
  }
  return undefined;
}
