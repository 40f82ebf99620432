import type { FastifyInstance } from 'fastify';
import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { BREAKER_ACTIONS, type BreakerAction } from '../../breakers.ts';
import type { HttpDeps } from '../deps.ts';
import { readSettings } from '../extensions/control-body.ts';
import type { ModelParams } from '../model-params.ts';

const PATHS = ['/admin/models/:model/breaker', '/admin/models/:model/versions/:version/breaker'] as const;

/** The breaker of a model: what it has seen, and `{"action": "open"}`, `close` or `reset` by hand. */
export function registerBreaker(app: FastifyInstance, deps: HttpDeps): void {
  const { cluster } = deps;
  for (const path of PATHS) {
    app.get<{ Params: ModelParams }>(path, ({ params: { model, version } }) =>
      cluster.breaker(model, version),
    );
    app.post<{ Params: ModelParams }>(path, async ({ params: { model, version }, raw }) => {
      const { action } = Object.fromEntries(await readSettings(raw, deps));
      return cluster.changeBreaker(model, version, toAction(action));
    });
  }
}

function toAction(given: unknown): BreakerAction {
  const action = BREAKER_ACTIONS.find((each) => each === given);
  if (action !== undefined) return action;
  const expected = BREAKER_ACTIONS.join(', ');
  throw invalidInput(`action: expected one of ${expected}, got ${JSON.stringify(given)?.slice(0, 64)}`, {
    where: 'action',
    expected,
    got: given,
  });
}
