import { ratios, summarize } from './statistics.mjs';

const IN_FLIGHT = [1, 8, 64];
const BARS = [
  { model: 'linear16', bar: 3, stretch: 5 },
  { model: 'pixels', bar: 1, stretch: 2.5 },
];

/** The bars of the suite `grpc`: requests/s over gRPC, times those of grpc.aio, and as far as it should once go. */
export function judgeGrpcBars({ runs }) {
  const pick = (model, server, connections) =>
    runs
      .filter((one) => one.model === model && one.server === server && one.connections === connections)
      .filter((one) => one.failed === 0)
      .map((one) => one.perSecond);
  return BARS.flatMap(({ model, bar, stretch }) =>
    IN_FLIGHT.flatMap((connections) => {
      const times = ratios(pick(model, 'nimify', connections), pick(model, 'grpc-aio', connections));
      const what = `${model}, ${connections} in flight: requests/s over gRPC, times grpc.aio`;
      const floor = ratios(pick(model, 'floor-tcp', connections), pick(model, 'grpc-aio', connections));
      return [
        judge(what, bar, times),
        judge(`${what} (stretch)`, stretch, times),
        {
          ...{ what: `${what}: floor-tcp, which runs no model`, unit: 'x' },
          ...(floor.length === 0 ? {} : { measured: summarize(floor) }),
          verdict: 'the floor',
        },
      ];
    }),
  );
}

function judge(what, bar, values) {
  const wanted = { what, unit: 'x', bar: `>= ${bar}` };
  if (values.length === 0) return { ...wanted, verdict: 'not measured' };
  const measured = summarize(values);
  return { ...wanted, measured, verdict: measured.median >= bar ? 'met' : 'missed' };
}
