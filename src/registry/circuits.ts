import { type EventSink, NO_EVENTS } from '../base/telemetry/events.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import {
  type Circuit,
  type CircuitOptions,
  type CircuitReport,
  createCircuit,
} from '../policy/breaker/circuit.ts';
import type { PolicyInstruments } from './policy-metrics.ts';

/** A backend. One of other content is another one: what its predecessor did says nothing of it. */
export interface CircuitSubject {
  readonly name: string;
  readonly version: string;
  readonly revision: string | undefined;
}

/** The circuit of each backend, whoever uses it and however often its model is loaded anew. */
export type Circuits = Map<string, { readonly key: string; readonly circuit: Circuit }>;

export interface CircuitDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly circuits: Circuits;
  readonly events?: EventSink;
  readonly instruments?: PolicyInstruments;
}

export function circuitOf(subject: CircuitSubject, options: CircuitOptions, deps: CircuitDeps): Circuit {
  const { name, version, revision } = subject;
  const place = JSON.stringify([name, version]);
  const key = JSON.stringify([revision, options]);
  const known = deps.circuits.get(place);
  if (known?.key === key) return known.circuit;
  const circuit = createCircuit(deps.clock, options);
  circuit.onChange((state, report) => tell(subject, state, report, deps));
  deps.circuits.set(place, { key, circuit });
  return circuit;
}

function tell(
  { name: model, version }: CircuitSubject,
  state: Circuit['state'],
  { isForced, calls, faults, slow, retryAfterMs }: CircuitReport,
  { log, events = NO_EVENTS, instruments }: CircuitDeps,
): void {
  instruments?.breaker.changed(state);
  const fields = { model, version, state, calls, faults, slow };
  const by = isForced ? ', because somebody said so' : '';
  if (state === 'half-open') {
    log.info(fields, `'${model}' is being tried with a few requests`);
  } else if (state === 'open') {
    const message = isForced
      ? `'${model}' is left alone${by}`
      : `'${model}' is left alone: of the last ${calls} calls ${faults} failed and ${slow} were slow`;
    log.warn(fields, message);
    const done = isForced
      ? 'its requests are refused until it is closed'
      : `tried again in ${Math.round(retryAfterMs)} ms`;
    events.report({ type: 'breaker-opened', model, version, message, done });
  } else {
    const message = `'${model}' gets its requests again${by}`;
    log.info(fields, message);
    events.report({ type: 'breaker-closed', model, version, message });
  }
}
