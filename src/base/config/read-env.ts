import { didYouMean } from '../util/nearest-name.ts';
import type { Given, Layer } from './layer.ts';
import { type EnvName, envNameOf, type Leaf, type Option } from './option.ts';
import { type Problem, shown } from './problem.ts';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment sets. An empty variable is as none, so that one can be taken back. */
export function readEnv(leaves: readonly Leaf[], env: Environment, problems: Problem[]): Layer {
  const layer = new Map<string, Given>();
  for (const { path, option } of leaves) {
    const set = option.env.find((name) => isSet(env[envNameOf(name)]));
    if (set === undefined) continue;
    const name = envNameOf(set);
    const text = env[name]!;
    const value = readText(option, set, text);
    if (value === undefined) problems.push(wrongVariable(option, set, text));
    else layer.set(path, { value, origin: { from: 'env', name } });
  }
  return layer;
}

/**
 * Kubernetes sets variables for each Service of a namespace (`<SERVICE>_PORT=tcp://10.0.0.1:80`), and a Service
 * called `nimify-http` makes one of a name of ours. What looks like that is not meant for us.
 */
function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== '' && !/^(tcp|udp|sctp):\/\//.test(text);
}

function readText(option: Option<unknown>, env: EnvName<unknown>, text: string): unknown {
  if (typeof env === 'string') return option.kind.fromText(text);
  const word = text.toLowerCase();
  return Object.hasOwn(env.words, word) ? env.words[word] : undefined;
}

function wrongVariable(option: Option<unknown>, env: EnvName<unknown>, text: string): Problem {
  const where = envNameOf(env);
  const expected = typeof env === 'string' ? option.kind.expected : env.expected;
  return {
    where,
    expected,
    got: text,
    message: `${where}: expected ${expected}, got ${shown(text)}; change the variable or unset it`,
  };
}

/** Variables of nimify's that are none of its options, and of no Service of Kubernetes either. */
export function findUnknownVariables(
  leaves: readonly Leaf[],
  env: Environment,
  others: readonly string[],
): readonly string[] {
  const known = [...leaves.flatMap(({ option }) => option.env.map(envNameOf)), ...others];
  return Object.entries(env)
    .filter(([name, text]) => name.startsWith('NIMIFY_') && !known.includes(name) && isSet(text))
    .filter(([name]) => !OF_A_SERVICE.test(name) && !OF_DEVELOPMENT.test(name))
    .map(([name]) => {
      return `${name} is no variable of nimify${didYouMean(name, known, '')}`;
    });
}

/** They steer tests and benchmarks. */
const OF_DEVELOPMENT = /^NIMIFY_(TEST|BENCH)_/;

const OF_A_SERVICE = /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP|SCTP)/;
