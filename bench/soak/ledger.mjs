/** Statuses and codes of a request that could not be in time. */
const REFUSALS = new Set(['OVERLOADED', 'DEADLINE_EXCEEDED']);
/** What requests get that are to be refused for what they are. */
const OBJECTIONS = new Set(['INVALID_INPUT', 'MODEL_NOT_FOUND', 'NOT_FOUND']);
const MOST_FAULTS = 50;

/**
 * Counts what became of requests, and keeps what should not have come. An outcome is `{answer}`, `{code}` of a refusal,
 * or `{lost}` with the reason why nothing came.
 */
export function createLedger() {
  const counts = {
    ...{ sent: 0, answered: 0, refused: 0, rejected: 0, abandoned: 0, rows: 0 },
    ...{ lost: 0, wrong: 0, unexpected: 0, surplus: 0 },
  };
  const answeredBy = {};
  const abandonedBy = {};
  const faults = [];

  function fault(kind, request, says) {
    counts[kind] += 1;
    if (faults.length < MOST_FAULTS)
      faults.push({ kind, number: request?.number, model: request?.model, says });
  }

  function answered(request, answer) {
    const difference =
      request.kind === 'bad' ? 'a request that is none was answered' : differenceOf(request, answer);
    if (difference !== undefined) return fault('wrong', request, difference);
    counts.answered += 1;
    counts.rows += request.inputs[0].shape[0];
    answeredBy[request.model] = (answeredBy[request.model] ?? 0) + 1;
  }

  return {
    counts,
    faults,
    /** Right answers, and requests whose clients left, by model. */
    answeredBy,
    abandonedBy,
    sent: () => {
      counts.sent += 1;
    },
    abandoned({ model }) {
      counts.abandoned += 1;
      abandonedBy[model] = (abandonedBy[model] ?? 0) + 1;
    },
    /** Bytes that came while nothing was asked: an answer too many. */
    surplus: (says) => fault('surplus', undefined, says),
    settle(request, { answer, code, lost }) {
      if (answer !== undefined) return answered(request, answer);
      if (lost !== undefined) return fault('lost', request, lost);
      const isExpected =
        request.kind === 'bad'
          ? OBJECTIONS.has(code)
          : request.deadlineMs !== undefined && REFUSALS.has(code);
      if (!isExpected) return fault('unexpected', request, `${request.kind} request refused with ${code}`);
      counts[request.kind === 'bad' ? 'rejected' : 'refused'] += 1;
    },
    /** Every request has one end, and none but these. */
    isBalanced: () =>
      counts.sent ===
      counts.answered +
        counts.refused +
        counts.rejected +
        counts.abandoned +
        counts.lost +
        counts.wrong +
        counts.unexpected,
  };
}

/** Undefined where an answer is that of this request, bit for bit. */
function differenceOf({ number, expected }, { id, outputs }) {
  if (id !== String(number)) return `the answer is that of request ${id}`;
  if (outputs.length !== expected.length) return `${outputs.length} outputs instead of ${expected.length}`;
  for (const { name, bytes } of expected) {
    const output = outputs.find((one) => one.name === name);
    if (output === undefined) return `no output ${name}`;
    if (Buffer.compare(output.bytes, bytes) !== 0)
      return `${name} differs from the answers to its rows alone`;
  }
  return undefined;
}
