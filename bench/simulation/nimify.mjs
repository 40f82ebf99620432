import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { createContext } from '../../dist/model/context.js';
import { createInferRequest } from '../../dist/model/request.js';
import { createArrivals } from '../../dist/policy/batching/arrivals.js';
import { createBatching } from '../../dist/policy/batching/batching.js';
import { createCostModel } from '../../dist/policy/batching/cost-model.js';

/** What the warm-up of the server takes at most, and how often each size is tried within. */
const WARM_UP_NS = 200e6;
const WARM_UP_ROUNDS = 2;

/** As for all others: who waits is limited by the time that there is. */
const QUEUE = { maxWaiting: 1e9, timeoutAction: 'reject', allowTimeoutOverride: false };

const ROW = { name: 'x', datatype: 'FP32', shape: [1, 1], data: new Float32Array(1) };
const SPEC = { name: 'x', datatype: 'FP32', shape: [-1, 1], dimensionNames: ['rows', undefined] };
const SIGNATURE = { inputs: [SPEC], outputs: [{ ...SPEC, name: 'y' }], batchAxis: 0 };
const REPORT = { cache: 'none', computeNs: 0, cacheable: true };
const OWNER = { holders: 2, retain() {}, release() {} };

/**
 * The product's own batching policy (src/policy/batching) as it is served by default, but for the number of requests
 * that may wait and for timers as exact as everybody's here, around a model whose runs take the time that the bench
 * draws.
 *
 * @param {object} [options] BatchingOptions, where they are not to be the defaults
 * @returns {import('./schedulers.mjs').Setting}
 */
export function nimify(profile, objectiveNs, options = {}) {
  return { label: 'auto', create: (bench) => createNimify(bench, { profile, objectiveNs, options }) };
}

function createNimify(bench, { profile, objectiveNs, options }) {
  const { clock } = bench;
  const costs = createCostModel({ seed: warmUp(profile) });
  const policy = createBatching(
    { clock, costs, arrivals: createArrivals(), soon: setImmediate, timerStepNs: 0 },
    { slots: bench.slots, maxBatchRows: 'auto', objectiveMs: objectiveNs / 1e6, queue: QUEUE, ...options },
  );
  const model = policy(createDrawnModel(bench));
  return {
    hasPromises: true,
    arrive(request) {
      const context = createContext({ deadlineAtNs: request.deadlineNs });
      model.infer(createInferRequest({ model: 'drawn', inputs: [ROW] }), context).then(
        (response) => {
          response.owner.release();
          bench.answer(request);
        },
        (error) => {
          // Anything but a refusal is a fault of the batcher, which no number must hide.
          if (!['OVERLOADED', 'DEADLINE_EXCEEDED'].includes(error.code)) throw error;
          bench.refuse(request);
        },
      );
    },
  };
}

/** Sizes 1, 2, 4 ... in rounds for as long as the budget lasts, as src/engine does it at load. */
function warmUp(profile) {
  const random = createSeededRandom(11);
  const samples = [];
  let spentNs = 0;
  for (let rows = 1; rows <= profile.mostRows && spentNs < WARM_UP_NS; rows *= 2) {
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
      const ns = profile.quantileNs(rows, random());
      spentNs += ns;
      samples.push({ rows, ns });
    }
  }
  return samples;
}

/** An engine's model: as many runs at once as there are slots, each as long as the bench says. */
function createDrawnModel(bench) {
  return {
    ...{ kind: 'engine', name: 'drawn', version: '1', signature: SIGNATURE, state: 'ready' },
    ...{ deterministic: true, varies: [], inner: [] },
    onState: () => () => {},
    infer({ inputs: [{ shape, data }] }) {
      return new Promise((resolve) => {
        bench.start(shape[0], (ns) => {
          const outputs = [{ name: 'y', datatype: 'FP32', shape, data }];
          const report = { ...REPORT, computeNs: ns };
          resolve({ model: 'drawn', version: '1', id: '', outputs, parameters: {}, report, owner: OWNER });
        });
      });
    },
    close: async () => {},
  };
}
