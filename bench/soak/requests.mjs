import { ARRAYS } from './subjects.mjs';

/** How often each kind comes. */
const KINDS = [
  ['plain', 0.6],
  ['deadline', 0.16],
  ['cancel', 0.1],
  ['half', 0.04],
  ['bad', 0.1],
];
/** Most requests have one row; some have more than any batch takes. */
const ROWS = [
  [1, 1, 0.7],
  [2, 8, 0.2],
  [9, 64, 0.08],
  [300, 400, 0.02],
];
const PRIORITIES = [0, 1, 2, 3];
const DEADLINES_MS = [0.2, 50];
/** Of clients that leave; most leave much sooner. */
const LONGEST_STAY_MS = 20;

/**
 * Requests by chance, each with rows of its own choice, so that an answer that went to another request is seen.
 *
 * @param random numbers in [0, 1)
 * @returns a function that gives the next: what is sent, and what may come back
 */
export function createRequests(subjects, random, firstNumber = 0) {
  let number = firstNumber;
  return function next({ overGrpc }) {
    const subject = subjects[Math.floor(random() * subjects.length)];
    const kind = pick(KINDS, random);
    const [least, most] = pick(
      ROWS.map(([from, to, share]) => [[from, to], share]),
      random,
    );
    const count = least + Math.floor(random() * (most - least + 1));
    const chosen = Array.from(
      { length: count },
      () => subject.rows[Math.floor(random() * subject.rows.length)],
    );
    const data = new ARRAYS[subject.datatype](count * subject.rowLength);
    for (const [row, { data: values }] of chosen.entries()) data.set(values, row * subject.rowLength);
    const deadlineMs =
      kind === 'deadline' ? DEADLINES_MS[0] * (DEADLINES_MS[1] / DEADLINES_MS[0]) ** random() : undefined;
    const priority = PRIORITIES[Math.floor(random() * PRIORITIES.length)];
    const request = {
      ...{ number: number++, kind, model: subject.model, deadlineMs },
      ...{ sentShare: random(), stayMs: LONGEST_STAY_MS * random() ** 3 },
      isBinary: overGrpc || random() < 0.5,
      parameters: {
        ...(priority === 0 ? {} : { priority }),
        ...(deadlineMs === undefined ? {} : { timeout: Math.max(1, Math.round(deadlineMs * 1000)) }),
      },
      inputs: [
        { name: subject.input, datatype: subject.datatype, shape: [count, ...subject.rowShape], data },
      ],
      expected: chosen[0].outputs.map(({ name, datatype }, at) => ({
        ...{ name, datatype },
        bytes: Buffer.concat(chosen.map(({ outputs }) => outputs[at].bytes)),
      })),
    };
    return kind === 'bad' ? spoil(request, subject, random) : request;
  };
}

/** A request that is to be refused, for a reason of the protocol's or of the model's own. */
function spoil(request, { refusedValue }, random) {
  const [input] = request.inputs;
  const shape = [input.shape[0] + 1, ...input.shape.slice(1)];
  const ways = [
    { inputs: [{ ...input, name: 'nothing' }] },
    { inputs: [{ ...input, shape }] },
    { inputs: [] },
    { model: 'nobody' },
    ...(refusedValue === undefined ? [] : Array.from({ length: 8 }, () => ({ refusedValue }))),
  ];
  const way = ways[Math.floor(random() * ways.length)];
  if (way.refusedValue === undefined) return { ...request, ...way };
  const data = input.data.slice();
  data[Math.floor(random() * data.length)] = refusedValue;
  return { ...request, inputs: [{ ...input, data }] };
}

function pick(weighted, random) {
  let left = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  return weighted.at(-1)[0];
}
