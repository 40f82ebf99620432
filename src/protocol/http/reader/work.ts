import { requestIdOf } from '../../request-id.ts';
import { createTally, nameModel, type Tally } from '../../tally.ts';
import type { HttpDeps } from '../deps.ts';
import type { InferTarget } from '../infer-call.ts';
import type { InferHead } from './head.ts';

/** A request that is being read or answered. */
export interface Work {
  readonly head: InferHead;
  readonly target: InferTarget;
  readonly tally: Tally;
  /** It has been counted as begun. */
  isBegun: boolean;
}

/** Undefined where node:http's side refuses the request before it reads the body. */
export function openWork(deps: HttpDeps, head: InferHead): Work | undefined {
  const { name, version, headerLength, bodyBytes } = head;
  if (bodyBytes > deps.options.maxBodyBytes) return undefined;
  const served = findModel(deps, name, version);
  if (served === undefined) return undefined;
  const tally = createTally(deps, head.route, requestIdOf(head));
  nameModel(tally, served);
  return { head, target: { name, version, headerLength, served }, tally, isBegun: false };
}

function findModel(
  { registry }: HttpDeps,
  name: string,
  version: string | undefined,
): InferTarget['served'] | undefined {
  try {
    return registry.find(name, version);
  } catch {
    return undefined;
  }
}

/** Counts the request as begun, once. */
export function beginWork({ instruments }: HttpDeps, work: Work): void {
  if (work.isBegun) return;
  work.isBegun = true;
  instruments.begin();
}
