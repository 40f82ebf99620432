import type { FallbackRung, PolicyChoices } from '../base/config/policies.ts';
import { type EventSink, NO_EVENTS } from '../base/telemetry/events.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import type { JoinMembers } from '../engine/prepare.ts';
import type { Model, Policy } from '../model/contract.ts';
import type { HostKind } from '../model/engine.ts';
import type { MembersModel } from '../model/member.ts';
import { createBalancer } from '../policy/balance/balancer.ts';
import type { OutlierListener } from '../policy/balance/outliers.ts';
import { createBreaker } from '../policy/breaker/breaker.ts';
import type { Circuit } from '../policy/breaker/circuit.ts';
import { createConstantRung } from '../policy/fallback/constant-rung.ts';
import { createFallback, type Rung } from '../policy/fallback/fallback.ts';
import { createModelRung } from '../policy/fallback/model-rung.ts';
import { createHedge } from '../policy/hedge/hedge.ts';
import { createRetry } from '../policy/retry/retry.ts';
import { type CircuitSubject, type Circuits, circuitOf } from './circuits.ts';
import { readConstant } from './constant-outputs.ts';
import type { PolicyInstruments } from './policy-metrics.ts';

/** What the policies of all models share. */
export interface PolicyDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly circuits: Circuits;
  /** What is served now under a name. @throws NimifyError where nothing is */
  readonly find: (name: string, version?: string) => Model;
  /** Default: nobody hears of them. */
  readonly events?: EventSink;
  readonly instruments?: PolicyInstruments;
}

type On<T> = Exclude<T, string>;

/** Of processes: they crash by themselves, and are replaced. Runs elsewhere share the fate of the server. */
const isOnByDefault = (host: HostKind) => host === 'process';

function settingsOf<T extends object>(choice: string | T, isAuto: boolean): T | undefined {
  if (typeof choice !== 'string') return choice;
  return choice === 'on' || (choice === 'auto' && isAuto) ? ({} as T) : undefined;
}

/** How the sessions of a model on this host become one Model; undefined: as one instance, with one line. */
export function joinMembersOf(
  choices: PolicyChoices,
  host: HostKind,
  subject: Pick<CircuitSubject, 'name' | 'version'>,
  deps: PolicyDeps,
): JoinMembers | undefined {
  const ejection = settingsOf<On<PolicyChoices['ejection']>>(choices.ejection, isOnByDefault(host));
  const hedge = settingsOf<On<PolicyChoices['hedge']>>(choices.hedge, false);
  if (ejection === undefined && hedge === undefined) return undefined;
  const { clock, instruments } = deps;
  const listener = ejectionListener(subject, deps);
  return (members) => {
    const balanced: MembersModel = createBalancer(
      { clock, listener },
      { ejection: ejection ?? 'off' },
    )(members);
    return hedge === undefined
      ? balanced
      : createHedge({ clock, ...optional(instruments?.hedge) }, hedge)(balanced);
  };
}

/** The breaker of a model; undefined: it has none. */
export function breakerOf(
  { breaker: choice }: PolicyChoices,
  host: HostKind,
  subject: CircuitSubject,
  deps: PolicyDeps,
): { readonly policy: Policy; readonly circuit: Circuit } | undefined {
  const settings = settingsOf<On<PolicyChoices['breaker']>>(choice, isOnByDefault(host));
  if (settings === undefined) return undefined;
  const { slowMs, ...rest } = settings;
  const circuit = circuitOf(subject, rest, deps);
  const policy = createBreaker(
    { clock: deps.clock, circuit, ...optional(deps.instruments?.breaker) },
    slowMs === undefined ? {} : { slowMs },
  );
  return { policy, circuit };
}

export function retryOf(
  { retry: choice }: PolicyChoices,
  host: HostKind,
  { clock, instruments }: PolicyDeps,
): Policy | undefined {
  const settings = settingsOf<On<PolicyChoices['retry']>>(choice, isOnByDefault(host));
  return settings && createRetry({ clock, ...optional(instruments?.retry) }, settings);
}

/** @throws NimifyError CONFIG_INVALID where constant outputs do not fit the model */
export function fallbackOf(
  { fallback: ladder }: PolicyChoices,
  { signature, name }: Model,
  { find, instruments }: PolicyDeps,
): Policy | undefined {
  if (ladder === undefined) return undefined;
  const toRung = (rung: FallbackRung, index: number): Rung => {
    if ('constant' in rung) {
      return createConstantRung(
        signature,
        readConstant(signature, rung.constant, `${name}: fallback[${index}]`),
      );
    }
    const { model, version } = rung;
    return createModelRung(version === undefined ? model : `${model}:${version}`, () => find(model, version));
  };
  return createFallback(optional(instruments?.fallback), ladder.map(toRung));
}

function optional<T>(instruments: T | undefined): { instruments?: T } {
  return instruments === undefined ? {} : { instruments };
}

function ejectionListener(
  { name: model, version }: Pick<CircuitSubject, 'name' | 'version'>,
  { log, events = NO_EVENTS, instruments }: PolicyDeps,
): OutlierListener {
  return {
    ejected(member, reason, forMs) {
      const part = `instance ${member}`;
      const message = `${part} of '${model}' does worse than the others (${reason}) and gets nothing for ${forMs} ms`;
      log.warn({ model, version, instance: member, reason, forMs }, message);
      instruments?.ejection.ejected(reason);
      events.report({
        type: 'member-ejected',
        model,
        version,
        part,
        message,
        done: `tried again in ${forMs} ms`,
      });
    },
    restored(member) {
      const part = `instance ${member}`;
      const message = `${part} of '${model}' gets requests again`;
      log.info({ model, version, instance: member }, message);
      events.report({ type: 'member-restored', model, version, part, message });
    },
  };
}
