import type { TensorConstructor } from 'onnxruntime-node';
import { elementTypeOf } from '../../base/onnx/element-type.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { SessionSource, SessionValue } from '../host/session.ts';
import { type Binding, PlainTensor } from './binding.ts';
import { toRunError } from './native-errors.ts';
import { type OpenedSession, sessionOptions } from './opened-session.ts';
import { toDatatype, toFeeds, toOutputs } from './tensors.ts';

/** Without a prototype: the add-on would find in it what `toString` and other names of outputs mean there. */
type Fetches = Record<string, null>;

const NO_OPTIONS = {};
const PLAIN = { Tensor: PlainTensor as unknown as TensorConstructor };

/**
 * A session through the add-on itself: its runs can be done before the call returns.
 * @throws what the add-on throws
 */
export function openNativeSession(binding: Binding, source: SessionSource, clock: Clock): OpenedSession {
  const session = new binding.InferenceSession();
  session.loadModel(source.path, sessionOptions(source));
  const fetchesFor = createFetches();

  function runNow(request: RunRequest): RunResult {
    try {
      const feeds = toFeeds(PLAIN, request.inputs);
      const fetches = fetchesFor(request.outputs);
      const startNs = clock.nowNs();
      const made = session.run(feeds, fetches, NO_OPTIONS);
      const computeNs = clock.nowNs() - startNs;
      return { outputs: toOutputs(request.outputs, made), computeNs };
    } catch (thrown) {
      throw toRunError(thrown);
    }
  }

  return {
    inputs: session.inputMetadata.map(toValue),
    outputs: session.outputMetadata.map(toValue),
    runNow,
    // In a turn of its own: between the runs of many requests that came together, the event loop sees to the rest.
    run: (request) =>
      new Promise((resolve, reject) => {
        setImmediate(() => {
          try {
            resolve(runNow(request));
          } catch (failed) {
            reject(failed);
          }
        });
      }),
    async close() {
      await new Promise((resolve) => setImmediate(resolve)); // after the runs that were begun: they come in order
      session.dispose();
    },
  };
}

/**
 * What the add-on wants to be told of the outputs: their names as keys. Mostly the same list of names comes again,
 * that of all outputs.
 */
function createFetches(): (names: readonly string[]) => Fetches {
  let lastNames: readonly string[] = [];
  let last: Fetches = Object.create(null);
  return (names) => {
    if (names !== lastNames) {
      last = Object.create(null) as Fetches;
      for (const name of names) last[name] = null;
      lastNames = names;
    }
    return last;
  };
}

function toValue(metadata: { name: string; isTensor: boolean; type: number }): SessionValue {
  const { name, isTensor, type } = metadata;
  if (!isTensor) return { name, datatype: undefined };
  const element = elementTypeOf(type).name;
  // As the package's API does: BF16 and the like are refused whole, 4-bit integers only where they are wanted.
  const datatype = toDatatype(element);
  if (datatype === undefined && !/^u?int4$/.test(element)) throw new Error(`Unsupported data type: ${type}`);
  return { name, datatype };
}
