import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createPinoLogger } from '../../base/telemetry/pino-log.ts';
import { systemClock } from '../../base/util/clock.ts';
import { type ExecSource, openExec } from '../../engine/exec/engine.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { BatchAxisVerdict } from '../../model/batch-axis.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../registry/assemble.ts';
import { splitFunction, toProgram } from '../../registry/program-source.ts';

/** What a Python function or another program says of itself. */
export interface ProgramInspection {
  readonly source: ExecSource;
  readonly artifact: Artifact;
  /** By what it says of itself; loading the model proves or refutes it. */
  readonly batchAxis: BatchAxisVerdict;
}

/** The program that `path` names, as `nimify serve` finds it; undefined where it names a model file, or nothing. */
export async function findProgramAt(path: string): Promise<ExecSource | undefined> {
  const named = await splitFunction(path);
  const absolute = resolve(named.path);
  const info = await stat(absolute).catch(() => undefined);
  return info?.isFile() === true ? toProgram({ ...named, path: absolute }) : undefined;
}

/**
 * Starts the program as `nimify serve` does, hears what it takes and gives, and ends it. What it prints goes to
 * stderr.
 * @throws NimifyError as `openExec`
 */
export async function inspectProgram(
  source: ExecSource,
  engine: Partial<EngineOptions>,
): Promise<ProgramInspection> {
  const deps = { clock: systemClock, log: createPinoLogger({ level: 'warn', pretty: true }) };
  const { artifact, close } = await openExec(source, { ...DEFAULT_ENGINE_OPTIONS, ...engine }, deps);
  await close();
  const { signature, batchAxisReason: reason, fixedRows } = artifact;
  return {
    source,
    artifact,
    batchAxis: { axis: signature.batchAxis, reason, ...(fixedRows === undefined ? {} : { fixedRows }) },
  };
}
