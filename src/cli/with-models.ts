import type { ServedModel } from '../registry/contract.ts';
import { takeInventory } from '../registry/inventory.ts';
import { loadFound } from '../registry/load.ts';
import { createRegistry } from '../registry/registry.ts';
import type { ModelSource } from '../registry/repository.ts';

/**
 * What a server of these models would serve, for `read` to look at: loaded, since a program or a repository says only
 * then what its models take, and gone afterwards.
 * @throws NimifyError: a path that does not work, or a model that cannot be served
 */
export async function withModels<T>(
  sources: readonly ModelSource[],
  read: (models: readonly ServedModel[]) => T,
): Promise<T> {
  const { models } = await takeInventory(sources);
  const registry = createRegistry();
  try {
    const broken = models.flatMap(({ unservable }) => unservable).find(({ lacksBackend }) => !lacksBackend);
    if (broken !== undefined) throw broken.error;
    for (const found of models.flatMap((model) => model.found)) {
      const engine = { host: 'inline', instances: 1, batchAxis: 'none' } as const;
      registry.add(await loadFound(found, { engine }));
    }
    return read(registry.list());
  } finally {
    await registry.close({ graceMs: 0 });
  }
}
