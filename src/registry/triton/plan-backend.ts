import { OURS } from './layout.ts';
import type { PlanNotes } from './plan.ts';

/** Platforms of Triton's first years, and the backends that they mean today. */
const BACKEND_OF_PLATFORM: Readonly<Record<string, string>> = {
  onnxruntime_onnx: 'onnxruntime',
  tensorrt_plan: 'tensorrt',
  tensorflow_graphdef: 'tensorflow',
  tensorflow_savedmodel: 'tensorflow',
  pytorch_libtorch: 'pytorch',
  ensemble: 'ensemble',
};

export function lacksBackend(backend: string): string {
  return `the backend '${backend}' is none of nimify's, which loads ONNX models (backend '${OURS}')`;
}

/**
 * What names the model and its backend.
 * @param name of the model's folder
 * @returns false where a backend is asked for that nimify lacks
 */
export function planBackend(notes: PlanNotes, name: string): boolean {
  const { config } = notes.text;
  if (config.name !== undefined && config.name !== '') {
    if (config.name === name) notes.honour('name', `the folder is called '${name}' too`);
    else notes.refuse('name', `expected '${name}', the name of the folder, got '${config.name}'; rename one`);
  }
  const byPlatform = config.platform ? BACKEND_OF_PLATFORM[config.platform] : undefined;
  const backend = config.backend || byPlatform || config.platform || undefined;
  if (config.backend && byPlatform !== undefined && byPlatform !== config.backend) {
    notes.refuse(
      'platform',
      `'${config.platform}' contradicts the backend '${config.backend}'; leave one out`,
    );
  }
  const isOurs = backend === undefined || backend === OURS || backend === 'ensemble';
  for (const field of ['backend', 'platform'] as const) {
    if (!config[field]) continue;
    if (isOurs) notes.honour(field, backend === 'ensemble' ? 'an ensemble' : 'ONNX Runtime');
    else notes.refuse(field, lacksBackend(backend));
  }
  if (config.runtime !== undefined) notes.ignore('runtime', 'nimify has one library of each backend');
  return isOurs;
}
