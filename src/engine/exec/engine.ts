import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { Engine, EngineOptions } from '../../model/engine.ts';
import { findProgram } from '../host/find-program.ts';
import { loadProcesses } from '../host/load-processes.ts';
import { openProcessSession, type ProcessOptions, type ProcessSession } from '../host/process.ts';
import type { ProcessDeps } from '../host/process-child.ts';
import { pythonCommand } from './python.ts';

/** What is to be run, as somebody named it. */
export type ExecSource =
  | { readonly kind: 'python'; readonly path: string; readonly functionName?: string }
  /** Any program that speaks docs/engine-protocol.md. */
  | { readonly kind: 'program'; readonly path: string };

export interface OpenedExec {
  readonly artifact: Artifact;
  /** Loads this artifact only, and once: the process that told the signature becomes its first. */
  readonly engine: Engine;
  /** Ends the process where it was not loaded. Does nothing where it was and has been drained. */
  close(): Promise<void>;
}

/**
 * Starts the program, which tells what it takes and gives. It runs in processes whatever host is asked for.
 * @throws NimifyError NOT_FOUND, and as `startChild` and `findPython`
 */
export async function openExec(
  source: ExecSource,
  options: EngineOptions,
  deps: ProcessDeps,
): Promise<OpenedExec> {
  const info = await stat(source.path).catch(() => undefined);
  if (info?.isFile() !== true) {
    throw new NimifyError('NOT_FOUND', `${source.path}: there is no such file; check the path`, {
      details: { where: source.path },
    });
  }
  const { instances = 1, memoryLimitBytes, runLimitMs, recycleBytes } = options;
  const processOptions: ProcessOptions = {
    command: await toCommand(source, options.python),
    label: source.path,
    env: threadVariables(
      options.intraOpThreads ?? Math.max(1, Math.floor(availableParallelism() / instances)),
    ),
    ...withoutUnset({ memoryLimitBytes, runLimitMs, recycleBytes }),
  };
  const open = () => openProcessSession(processOptions, deps);
  const first = await open();
  const artifact = await toArtifact(source, info.size, first);

  return {
    artifact,
    engine: {
      name: 'exec',
      load: () =>
        loadProcesses({
          ...{ first, open, instances },
          signature: artifact.signature,
          reason: 'process: a program of its own',
        }),
    },
    close: () => first.close(),
  };
}

async function toCommand(source: ExecSource, python: string | undefined): Promise<readonly string[]> {
  if (source.kind === 'python') {
    return pythonCommand({ ...source, ...(python === undefined ? {} : { python }) });
  }
  if ((await findProgram(source.path)) !== undefined) return [source.path];
  throw new NimifyError(
    'CONFIG_INVALID',
    `${source.path} may not be executed; make it executable (chmod +x), with a first line that names its interpreter ` +
      'if it is a script',
    { details: { where: source.path } },
  );
}

/**
 * Numeric libraries take as many threads as there are cores, in every process, and then wait for each other. What
 * the user has set stays.
 */
function threadVariables(threads: number): Readonly<Record<string, string>> {
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'];
  return Object.fromEntries(
    names.filter((name) => process.env[name] === undefined).map((name) => [name, String(threads)]),
  );
}

async function toArtifact(
  source: ExecSource,
  sizeBytes: number,
  { hello }: ProcessSession,
): Promise<Artifact> {
  return {
    format: hello.platform,
    path: source.path,
    sizeBytes,
    contentHash: await hashSource(source),
    signature: hello.signature,
    batchAxisReason: hello.batchAxisReason,
    ...(hello.fixedRows === undefined ? {} : { fixedRows: hello.fixedRows }),
    deterministic: hello.deterministic,
    indexLimits: {},
    omitted: [],
    metadata: source.kind === 'python' && source.functionName ? { function: source.functionName } : {},
  };
}

/** Of the file alone: what it imports is not known. */
async function hashSource(source: ExecSource): Promise<string> {
  const hash = createHash('sha256');
  if (source.kind === 'python') hash.update(`${source.functionName ?? ''}\0`);
  await pipeline(createReadStream(source.path), hash);
  return hash.digest('hex');
}
