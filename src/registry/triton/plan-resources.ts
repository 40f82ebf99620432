import type { EngineOptions, ProviderChoice } from '../../model/engine.ts';
import type { PlanNotes } from './plan.ts';

/** What of the machine a plan may count on. */
export interface PlanFacts {
  /** Execution providers of ONNX Runtime that are there. */
  readonly providers: readonly string[];
}

/** Instances, devices, threads and what else the engine is told. */
export function planResources(notes: PlanNotes, facts: PlanFacts): Partial<EngineOptions> {
  const instances = planInstances(notes, facts);
  const providers = planProviders(notes, facts) ?? instances.providers;
  const threads = planParameters(notes);
  planRest(notes);
  return {
    ...(instances.count === undefined ? {} : { instances: instances.count }),
    ...(threads === undefined ? {} : { intraOpThreads: threads }),
    ...(providers === undefined ? {} : { providers }),
  };
}

interface Instances {
  readonly count: number | undefined;
  readonly providers: readonly ProviderChoice[] | undefined;
}

function planInstances(notes: PlanNotes, facts: PlanFacts): Instances {
  let count = 0;
  let device: number | undefined;
  for (const [at, group] of (notes.text.config.instance_group ?? []).entries()) {
    const within = (field: string) => `instance_group[${at}].${field}`;
    const kind = group.kind ?? 'KIND_AUTO';
    const wantsGpu = kind === 'KIND_GPU';
    const hasGpu = facts.providers.includes('cuda');
    if ((group.count ?? 1) < 0) notes.refuse(within('count'), `expected 1 or more, got ${group.count}`);
    else {
      count += group.count || 1;
      if (group.count === undefined) notes.honour(`instance_group[${at}]`, 'one instance: no count is given');
      else notes.honour(within('count'), `${group.count || 1} of the model side by side`);
    }
    if (group.kind !== undefined && wantsGpu && !hasGpu) {
      notes.ignore(
        within('kind'),
        "runs on the CPU: ONNX Runtime's provider 'cuda' is not installed (nimify doctor)",
      );
    } else if (group.kind !== undefined) notes.honour(within('kind'), wantsGpu ? 'on the GPU' : 'on the CPU');
    if (wantsGpu && hasGpu) device ??= group.gpus?.[0] ?? 0;
    if (group.gpus !== undefined) {
      if (wantsGpu && hasGpu && group.gpus.length === 1) notes.honour(within('gpus'), `GPU ${group.gpus[0]}`);
      else notes.ignore(within('gpus'), 'all instances run on one device');
    }
    if (group.passive) notes.ignore(within('passive'), 'every instance takes requests');
    const others = ['name', 'host_policy', 'rate_limiter', 'secondary_devices', 'profile'] as const;
    for (const field of others) {
      if (group[field] !== undefined) notes.ignore(within(field), 'instances of nimify have no such setting');
    }
  }
  return {
    count: count === 0 ? undefined : count,
    providers: device === undefined ? undefined : [{ name: 'cuda', deviceId: device }],
  };
}

function planProviders(notes: PlanNotes, facts: PlanFacts): readonly ProviderChoice[] | undefined {
  const { optimization } = notes.text.config;
  if (optimization === undefined) return undefined;
  const chosen: ProviderChoice[] = [];
  for (const list of ['gpu_execution_accelerator', 'cpu_execution_accelerator'] as const) {
    for (const [at, { name = '' }] of (optimization.execution_accelerators?.[list] ?? []).entries()) {
      const field = `optimization.execution_accelerators.${list}[${at}]`;
      if (facts.providers.includes(name)) {
        notes.honour(field, `ONNX Runtime's execution provider '${name}', with its default options`);
        chosen.push(name);
      } else {
        const known = facts.providers.join(', ');
        notes.ignore(
          field,
          `ONNX Runtime has no provider '${name}' here, only ${known}; answers are the same`,
        );
      }
    }
  }
  const slower = 'ONNX Runtime decides; answers are the same';
  const fields = [
    ...['graph', 'priority', 'cuda', 'input_pinned_memory', 'output_pinned_memory'],
    ...['gather_kernel_buffer_threshold', 'eager_batching'],
  ] as readonly (keyof typeof optimization)[];
  for (const field of fields) {
    if (optimization[field] !== undefined) notes.ignore(`optimization.${field}`, slower);
  }
  return chosen.length === 0 ? undefined : chosen;
}

/** Parameters by which Triton's backend for ONNX Runtime is tuned; others are for whoever reads the configuration. */
function planParameters(notes: PlanNotes): number | undefined {
  let threads: number | undefined;
  for (const [key, { string_value: text = '' }] of notes.text.config.parameters ?? []) {
    const field = `parameters['${key}']`;
    if (key !== 'intra_op_thread_count') {
      notes.ignore(field, 'nothing in nimify reads it; the configuration still shows it');
    } else if (/^\d{1,4}$/.test(text)) {
      threads = Number(text) || undefined;
      notes.honour(
        field,
        threads === undefined ? 'as many threads as nimify finds best' : `${text} threads in one run`,
      );
    } else notes.refuse(field, `expected a whole number of threads, got '${text}'`);
  }
  return threads;
}

function planRest(notes: PlanNotes): void {
  const { config } = notes.text;
  if ((config.model_operations?.op_library_filename ?? []).length > 0) {
    notes.refuse('model_operations', 'nimify loads no libraries of custom operators');
  }
  if ((config.model_repository_agents?.agents ?? []).length > 0) {
    notes.refuse(
      'model_repository_agents',
      'nimify runs no agents, and these might check or change the files',
    );
  }
  if (config.cc_model_filenames !== undefined) {
    notes.ignore('cc_model_filenames', 'one file serves on every device: default_model_filename');
  }
  if (config.metric_tags !== undefined)
    notes.ignore('metric_tags', 'metrics are labelled by model and version');
  if (config.model_metrics !== undefined) notes.ignore('model_metrics', 'histograms have fixed buckets');
}
