import { availableParallelism, totalmem } from 'node:os';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock } from '../../base/util/clock.ts';
import { workerUrl } from '../../base/util/module-url.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { Engine } from '../../model/engine.ts';
import type { Signature } from '../../model/signature.ts';
import { loadInstance } from '../host/load-instance.ts';
import type { HostSession } from '../host/session.ts';
import { openThreadSession } from '../host/thread.ts';
import type { Machine } from '../host/thread-plan.ts';
import { checkSession, openOrtSession } from './session.ts';

export interface OnnxRuntimeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the cores and memory that the system grants this process. */
  readonly machine?: Machine;
}

/** ONNX Runtime through the package onnxruntime-node, on the main thread or on worker threads. */
export function createOnnxRuntimeEngine({ clock, log, machine }: OnnxRuntimeDeps): Engine {
  return {
    name: 'onnxruntime',
    accepts: ({ format }) => format === 'onnx' || format === 'ort',
    load(artifact, options) {
      return loadInstance(artifact, options, {
        clock,
        log,
        machine: machine ?? thisMachine(),
        openInline: (source) => openOrtSession(source, clock),
        openThread: (source) =>
          openThreadSession(source, {
            entry: workerUrl(import.meta.url, './thread-entry.ts'),
            clock,
            log,
          }),
        confirm: (session) => confirmSignature(artifact, session),
      });
    },
  };
}

/**
 * The artifact's signature without what this engine cannot take: onnxruntime-node feeds no input that has a
 * default in the graph (given one, it silently uses the default), so such inputs are not offered.
 */
function confirmSignature(artifact: Artifact, { info }: HostSession): Signature {
  const { signature, path } = artifact;
  const inputs = signature.inputs.filter(
    (spec) => spec.optional !== true || info.inputs.some((input) => input.name === spec.name),
  );
  checkSession(path, info, {
    inputs: inputs.map((spec) => spec.name),
    outputs: signature.outputs.map((spec) => spec.name),
  });
  return inputs.length === signature.inputs.length ? signature : { ...signature, inputs };
}

/** A container's limits where there are any: Node knows them better than the machine's totals. */
function thisMachine(): Machine {
  const limitBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { cores: availableParallelism(), memoryBytes: Math.min(totalmem(), limitBytes) };
}
