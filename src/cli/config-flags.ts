import { type Command, Option as Flag, InvalidArgumentError } from 'commander';
import type { Given, Layer } from '../base/config/layer.ts';
import { type Leaf, leavesOf, type Option } from '../base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS, START_OPTIONS } from '../base/config/options.ts';

/** Headings of the help, in their order, with the options that stand below them. */
const GROUPS: readonly (readonly [heading: string, holds: (path: string) => boolean])[] = [
  ['Models:', (path) => path in START_OPTIONS || path.startsWith('repository.') || path === 'required'],
  ['Address:', (path) => /^server\.(host|auth|\w+Port)$/.test(path)],
  ['Requests:', (path) => path.startsWith('server.') || path === 'timeoutMs'],
  ['Batching:', (path) => ['batching', 'objective', 'target', 'tune'].includes(path)],
  [
    'Faults and overload:',
    (path) => ['breaker', 'retry', 'hedge', 'ejection', 'fallback', 'bulkhead'].includes(path),
  ],
  ['TLS:', (path) => path.startsWith('tls.')],
  ['gRPC:', (path) => path.startsWith('grpc.')],
  ['Engine:', (path) => path.startsWith('engine.')],
  ['Service level:', (path) => path.startsWith('slo.')],
  ['Events:', (path) => path.startsWith('events.')],
  ['Log, on stderr:', (path) => path.startsWith('log.')],
];

const LEAVES: readonly Leaf[] = [START_OPTIONS, SERVER_OPTIONS, MODEL_OPTIONS].flatMap((tree) =>
  leavesOf(tree),
);

/** Gives a command a flag for every setting that has one. */
export function addConfigFlags(command: Command): Command {
  const groupOf = ({ path }: Leaf) => GROUPS.findIndex(([, holds]) => holds(path));
  for (const [index, [heading]] of GROUPS.entries()) {
    for (const leaf of LEAVES.filter((one) => groupOf(one) === index)) {
      if (leaf.option.flag !== undefined)
        command.addOption(toFlag(leaf, leaf.option.flag).helpGroup(heading));
    }
  }
  return command;
}

/** What the flags of a command line set. */
export function readFlags(command: Command): Layer {
  const layer = new Map<string, Given>();
  for (const { path, option } of LEAVES) {
    const { flag, flagSets } = option;
    if (flag === undefined) continue;
    const key = new Flag(flag).attributeName();
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const value = flagSets === undefined ? command.getOptionValue(key) : flagSets.value;
    layer.set(path, { value, origin: { from: 'flag', name: flag } });
  }
  return layer;
}

function toFlag({ option }: Leaf, flag: string): Flag {
  const { kind, flagSets } = option;
  if (flagSets !== undefined) return new Flag(flag, flagSets.doc);
  return new Flag(`${flag} <${placeholder(kind.name, flag)}>`, helpText(option)).argParser(
    (text, before: unknown) => {
      const value = kind.fromText(text);
      if (value === undefined) throw new InvalidArgumentError(`expected ${kind.expected}.`);
      return before === undefined || kind.join === undefined ? value : kind.join(before, value);
    },
  );
}

/** The kind's word, or the flag's last where the kind's says nothing: `<port>`, but `--log-level <level>`. */
function placeholder(kindName: string, flag: string): string {
  if (kindName === 'boolean') return 'true|false';
  return /^text$|\|/.test(kindName) ? flag.slice(flag.lastIndexOf('-') + 1) : kindName;
}

/**
 * What the option does, in the form of the other lines of the help: a small letter first, no full stop, no marks of
 * Markdown. Its first sentence and what is said of the default; docs/configuration.md has the rest.
 */
function helpText({ kind, doc, default: byDefault }: Option<unknown>): string {
  const [first = '', ...others] = doc.replaceAll('`', '').split(/(?<=\.) (?=[A-Za-z])/);
  const told = others.find((sentence) => sentence.startsWith('Default: '));
  const notes = [
    ...(kind.name.includes('|') ? [kind.name.replaceAll(' |', ',')] : []),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
    ...(told === undefined ? [] : [`default: ${withoutStop(told.slice('Default: '.length))}`]),
  ];
  const text = withoutStop(first);
  const begun = /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return notes.length === 0 ? begun : `${begun} (${notes.join('; ')})`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
