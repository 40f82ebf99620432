import type { Registry } from '../registry/contract.ts';
import type { LoadRequest, ModelControl } from '../registry/live/contract.ts';

/** Test support: a repository of which nothing but the requests to it is kept. */
export interface FakeControl extends ModelControl {
  readonly asked: (readonly [what: string, model: string, how: LoadRequest | object])[];
}

export function createFakeControl(registry: Registry): FakeControl {
  const asked: (readonly [string, string, object])[] = [];
  return {
    mode: 'explicit',
    asked,
    async index({ readyOnly = false } = {}) {
      const ready = registry
        .list()
        .map(({ name, version }) => ({ name, version, state: 'READY', reason: '' }) as const);
      const broken = { name: 'broken', state: 'UNAVAILABLE', reason: 'not loaded' } as const;
      return readyOnly ? ready : [broken, ...ready];
    },
    async load(name, request = {}) {
      asked.push(['load', name, request]);
    },
    async unload(name, options = {}) {
      asked.push(['unload', name, options]);
    },
  };
}
