/** What each bar is, and what a row comes to. `isTiming`: a busy machine may miss it, so that the short form only shows it. */
const RECOVER_MS = 10_000;

const EVERY = [
  bar({ what: 'wrong answers', wanted: '0', measure: ({ wrong }) => wrong, isMet: (value) => value === 0 }),
  bar({
    what: 'requests without an answer, but for those in flight in a server that died',
    wanted: '0',
    measure: ({ lost }) => lost,
    isMet: (value) => value === 0,
  }),
];

const BACK = bar({
  what: 'nearly all answered in time again, after the end',
  wanted: '<= 10 s',
  isTiming: true,
  measure: ({ recoverMs }) => recoverMs,
  isMet: (value) => value !== undefined && value <= RECOVER_MS,
  textOf: (value) => (value === undefined ? 'not again' : `${(value / 1000).toFixed(2)} s`),
});

const OF_FAULTS = {
  single: [
    bar({
      what: 'right and in time, of all requests',
      wanted: '>= 99.9 %',
      isTiming: true,
      measure: ({ goodShare }) => goodShare,
      isMet: (value) => value >= 0.999,
      textOf: asPercent,
    }),
  ],
  'server-died': [
    bar({
      what: 'right and in time, of all requests but those in flight in it',
      wanted: '>= 99.9 %',
      isTiming: true,
      measure: ({ goodShareOfOthers }) => goodShareOfOthers,
      isMet: (value) => value >= 0.999,
      textOf: asPercent,
    }),
    bar({
      what: 'the first answer after its death',
      wanted: '< 1 s',
      isTiming: true,
      measure: ({ backMs }) => backMs,
      isMet: (value) => value < 1000,
      textOf: asSeconds,
    }),
  ],
  'killed-each-second': [
    bar({
      what: 'requests that failed',
      wanted: '0',
      isTiming: true,
      measure: ({ requests, correct }) => requests - correct,
      isMet: (value) => value === 0,
    }),
    bar({
      what: 'first replaced',
      wanted: '< 2 s',
      isTiming: true,
      measure: ({ mendMs }) => mendMs,
      isMet: (value) => value < 2000,
      textOf: asSeconds,
    }),
  ],
  overload: [
    bar({
      what: 'right and in time a second, of the peak',
      wanted: '>= 90 %',
      isTiming: true,
      measure: ({ goodputShare }) => goodputShare,
      isMet: (value) => value >= 0.9,
      textOf: asPercent,
    }),
  ],
  breaker: [
    bar({
      what: 'breaker open after',
      wanted: '<= 1 s',
      isTiming: true,
      measure: ({ detectMs }) => detectMs,
      isMet: (value) => value <= 1000,
      textOf: asSeconds,
    }),
  ],
  amplification: [
    bar({
      what: 'runs that began, of the requests',
      wanted: '<= 1.2',
      measure: ({ amplification }) => amplification,
      isMet: (value) => value <= 1.2,
      textOf: (value) => value.toFixed(3),
    }),
  ],
};

/**
 * The bars of one row, each with what it came to: `{what, wanted, found, isMet, isTiming}`.
 *
 * @param fault of faults/index.mjs
 */
export function judgeRow(fault, row) {
  const isOverload = fault.bars.includes('overload');
  const bars = [
    ...EVERY,
    ...fault.bars.flatMap((name) => OF_FAULTS[name]),
    ...(isOverload || fault.bars.length === 0 ? [] : [BACK]),
  ];
  return bars.map((one) => one.judge(row));
}

function bar({ what, wanted, isTiming = false, measure, isMet, textOf = String }) {
  return {
    judge(row) {
      const value = measure(row);
      return { what, wanted, found: textOf(value), isMet: isMet(value), isTiming };
    },
  };
}

function asPercent(share) {
  if (share === undefined) return 'it did not die';
  return `${(share * 100).toFixed(2)} %`;
}

function asSeconds(ms) {
  return ms === undefined ? 'not seen' : `${(ms / 1000).toFixed(2)} s`;
}
