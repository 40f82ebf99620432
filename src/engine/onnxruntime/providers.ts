import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { didYouMean } from '../../base/util/nearest-name.ts';
import type { ProviderChoice } from '../../model/engine.ts';
import { binaryFolder, findPackage, type RuntimePackage } from './package.ts';
import { loadRuntime } from './runtime.ts';

/** An execution provider that ONNX Runtime knows on this platform. */
export interface Provider {
  readonly name: string;
  /** `missing`: its libraries are not in the npm package and were not installed. */
  readonly state: 'bundled' | 'installed' | 'missing';
  /** Its libraries that no package holds; empty where the provider is built in. */
  readonly libraries: readonly string[];
}

/** The execution providers of this platform, and whether their libraries are there. */
export async function listProviders(): Promise<readonly Provider[]> {
  const { listSupportedBackends } = await loadRuntime();
  const folder = binaryFolder();
  return listSupportedBackends().map(({ name, bundled }) => {
    if (bundled) return { name, state: 'bundled', libraries: [] };
    const libraries = ['shared', name].map((part) => join(folder, `libonnxruntime_providers_${part}.so`));
    return { name, state: libraries.every((path) => existsSync(path)) ? 'installed' : 'missing', libraries };
  });
}

/**
 * Refuses a provider that this platform has not, or whose libraries are missing: ONNX Runtime's own errors say
 * neither which, nor what to do.
 * @throws NimifyError UNSUPPORTED
 */
export async function checkProviders(choices: readonly ProviderChoice[] | undefined): Promise<void> {
  if (hasCpuOnly(choices)) return;
  const names = choices!.map(providerName).filter((name) => name !== 'cpu');
  const known = await listProviders();
  for (const name of names) {
    const provider = known.find((one) => one.name === name);
    if (provider === undefined) throw unknownProvider(name, known);
    if (provider.state === 'missing') throw missingProvider(name);
  }
}

export function hasCpuOnly(choices: readonly ProviderChoice[] | undefined): boolean {
  return choices === undefined || choices.every((choice) => providerName(choice) === 'cpu');
}

export function providerName(choice: ProviderChoice): string {
  return typeof choice === 'string' ? choice : choice.name;
}

/**
 * The command that fetches the libraries of `cuda` and `tensorrt` to where ONNX Runtime looks for them. Both come
 * in one download. It is onnxruntime-node's own install script; a package that travels inside another one may lack
 * it, and then the libraries are taken from a copy that has it.
 */
export function installCommand(found: RuntimePackage = findPackage()): string {
  const script = join(found.folder, 'script', 'install.js');
  if (existsSync(script)) return `node ${quote(script)} --onnxruntime-node-install=cuda12`;
  const copy = '/tmp/onnxruntime-cuda';
  const libraries = `${copy}/node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_*.so`;
  return (
    `ONNXRUNTIME_NODE_INSTALL=cuda12 npm install --ignore-scripts=false --prefix ${copy} onnxruntime-node@${found.version} && ` +
    `cp ${libraries} ${quote(`${binaryFolder(found)}/`)}`
  );
}

function unknownProvider(name: string, known: readonly Provider[]): NimifyError {
  const names = known.map((provider) => provider.name);
  return new NimifyError(
    'UNSUPPORTED',
    `engine.providers: ONNX Runtime has no execution provider '${name}' for ${process.platform} on ${process.arch}; it has ${names.join(', ')}${didYouMean(name, names)}`,
    { details: { where: 'engine.providers', expected: names, got: name } },
  );
}

function missingProvider(name: string): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    `engine.providers: the libraries of the execution provider '${name}' are not installed; install them with\n  ${installCommand()}`,
    { details: { where: 'engine.providers', got: name } },
  );
}

function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** The library that the loader misses when it is to load this one; undefined where it loads. */
export function loadProblem(library: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, library);
    return undefined;
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    // Node loads it, and then finds that it is no add-on of its own: it loads.
    if (/self-register|undefined symbol/.test(text)) return undefined;
    return /^(\S+): cannot open shared object file/.exec(text)?.[1] ?? library;
  }
}
