/** Handles that come and go by themselves: a descriptor that is open while the list of them is read. */
const HANDLES_SPARE = 2;
/**
 * Of a thread with an event loop. A model on the main thread opens up to a thread for each core when it first meets
 * runs that it takes for long, which on a busy machine may be late, and keeps them.
 */
const HANDLES_OF_A_THREAD = 4;
/** What memory may grow by while it is flat: the collector and the allocator are not done with what they keep. */
const MEMORY_SHARE = 0.05;
const MEMORY_SPARE_MIB = 8;
/** What a size may come to, in MiB, and count as the same. */
export function flatMib(beforeMib) {
  return beforeMib * (1 + MEMORY_SHARE) + MEMORY_SPARE_MIB;
}

/** Fewer pauses say nothing of growth: in its first minutes a process fills its pools and caches. */
const FEWEST_PAUSES = 9;

/**
 * Whether a soak found anything. Growth shows between pauses, in which nothing is open and nothing runs.
 * @returns what was asked, each with what is found; `isOk` undefined: there was too little of it to say
 */
export function judge({ counts, isBalanced, pauses, served, exit, logFaults, cores }) {
  const beyondThreads = ({ handles, loops }) => handles - HANDLES_OF_A_THREAD * loops;
  const none = (what, count) => ({ what, isOk: count === 0, found: String(count) });
  return [
    {
      what: 'every request has one end',
      isOk: isBalanced && counts.lost === 0 && counts.sent > 0,
      found: `${counts.sent} sent, ${counts.lost} lost`,
    },
    none('answers too many', counts.surplus),
    none('answers that are not bit for bit those of each row alone', counts.wrong),
    none('refusals of what was neither late nor wrong, and other codes than expected', counts.unexpected),
    ...served.map(({ model, answered, successes, mayHave }) => ({
      what: `the server's count of answers of ${model}`,
      isOk: successes >= answered && successes <= answered + mayHave,
      found: `${successes}, ${answered} seen and ${mayHave} left before`,
    })),
    growthOf(
      'open handles, without those of threads',
      pauses,
      beyondThreads,
      (first) => first + HANDLES_SPARE,
    ),
    growthOf(
      'threads',
      pauses,
      ({ threads }) => threads,
      (first) => first + cores,
    ),
    memoryGrowth(pauses),
    none('faults in the log', logFaults.length),
    { what: 'ends when it is told to', isOk: exit === 0, found: `exit code ${exit}` },
  ];
}

/** @param pauses with `memoryMib` each */
export function memoryGrowth(pauses) {
  return growthOf('resident memory, MiB', pauses, ({ memoryMib }) => memoryMib, flatMib);
}

/** The last third of the pauses against the second: the first is the start's. */
export function growthOf(what, pauses, heldIn, limitOf) {
  const values = pauses.map(heldIn);
  const third = Math.floor(values.length / 3);
  const before = median(values.slice(third, 2 * third));
  const after = median(values.slice(-third));
  const shown = (value) => Number(value.toPrecision(4));
  if (pauses.length < FEWEST_PAUSES)
    return { what: `growth of ${what}`, isOk: undefined, found: 'too short to say' };
  return {
    what: `growth of ${what}`,
    isOk: after <= limitOf(before),
    found: `${shown(before)} in the middle third, ${shown(after)} in the last`,
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
