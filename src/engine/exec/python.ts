import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { findProgram } from '../host/find-program.ts';

/** `src/` and `dist/` lie equally deep below the package's root. */
const ADAPTER = fileURLToPath(new URL('../../../adapters/python/serve.py', import.meta.url));

export interface PythonSource {
  /** The `.py` file. */
  readonly path: string;
  /** The function to serve. Default: `predict`, or the only one of the file. */
  readonly functionName?: string;
  /** Interpreter, as a path or a name. Default: that of the active environment, see `findPython`. */
  readonly python?: string;
}

/** The command that serves a Python function over the engine protocol. @throws NimifyError as `findPython` */
export async function pythonCommand({
  path,
  functionName,
  python,
}: PythonSource): Promise<readonly string[]> {
  const interpreter = await findPython(python);
  return [interpreter, ADAPTER, path, ...(functionName === undefined ? [] : [functionName])];
}

/**
 * The interpreter that was asked for, else that of the active virtual environment (VIRTUAL_ENV), else that of the
 * active Conda environment (CONDA_PREFIX), else `python3` of the PATH.
 * @throws NimifyError CONFIG_INVALID: the one asked for is not there; UNSUPPORTED: there is none
 */
export async function findPython(
  asked: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (asked !== undefined) {
    const found = await findProgram(asked, env);
    if (found !== undefined) return found;
    throw new NimifyError(
      'CONFIG_INVALID',
      `--python ${asked}: there is no such program; name a Python interpreter`,
      {
        details: { where: '--python', got: asked },
      },
    );
  }
  for (const [variable, folder] of [
    ['VIRTUAL_ENV', env.VIRTUAL_ENV],
    ['CONDA_PREFIX', env.CONDA_PREFIX],
  ] as const) {
    if (folder === undefined || folder === '') continue;
    const found = await findProgram(interpreterOf(folder, variable), env);
    if (found !== undefined) return found;
    throw new NimifyError(
      'UNSUPPORTED',
      `${variable} is ${folder}, where there is no Python; activate an environment that has one, or name an ` +
        'interpreter with --python',
      { details: { where: variable, got: folder } },
    );
  }
  const found = (await findProgram('python3', env)) ?? (await findProgram('python', env));
  if (found !== undefined) return found;
  throw new NimifyError(
    'UNSUPPORTED',
    'There is no Python here; install Python 3.9 or newer, activate an environment that has it, or name an ' +
      'interpreter with --python',
  );
}

function interpreterOf(folder: string, variable: 'VIRTUAL_ENV' | 'CONDA_PREFIX'): string {
  if (process.platform !== 'win32') return join(folder, 'bin', 'python');
  return variable === 'VIRTUAL_ENV' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'python.exe');
}
