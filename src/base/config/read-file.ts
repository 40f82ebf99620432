import { dirname } from 'node:path';
import { didYouMean } from '../util/nearest-name.ts';
import type { Given, Layer } from './layer.ts';
import { isOption, leavesOf, type OptionTree } from './option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from './options.ts';
import { type Place, type Problem, shown } from './problem.ts';
import { plainValue, readYamlTree, type YamlEntry, type YamlNode } from './yaml-tree.ts';

/** An entry of `models`, paths as they are written. */
export interface ModelEntry {
  readonly path: string;
  readonly name: string | undefined;
  readonly line: number;
  /** Settings of this model only. */
  readonly layer: Layer;
}

export interface FileSettings {
  readonly server: Layer;
  readonly defaults: Layer;
  /** Undefined: the file lists none. */
  readonly models: readonly ModelEntry[] | undefined;
}

const EMPTY: Layer = new Map();

/**
 * What nimify.yaml sets. What is wrong goes to `problems`, each with line and column; the rest is read on.
 * @param file name for errors and origins
 * @throws NimifyError CONFIG_INVALID where it is no YAML
 */
export async function readFileSettings(
  text: string,
  file: string,
  problems: Problem[],
): Promise<FileSettings> {
  const reader = createReader(file, problems);
  const server = new Map<string, Given>();
  const defaults = new Map<string, Given>();
  let models: readonly ModelEntry[] | undefined;

  for (const entry of reader.entriesOf(await readYamlTree(text, file), '')) {
    if (entry.key === 'models') models = readModels(entry, reader);
    else if (entry.key === 'defaults') readDefaults(entry, reader, defaults);
    else reader.readEntry(entry, { tree: SERVER_OPTIONS, root: '', beside: ['models', 'defaults'] }, server);
  }
  return { server, defaults, models };
}

function readDefaults({ node }: YamlEntry, reader: Reader, layer: Map<string, Given>): void {
  for (const entry of reader.entriesOf(node, 'defaults')) {
    reader.readEntry(entry, { tree: MODEL_OPTIONS, root: 'defaults' }, layer);
  }
}

function readModels({ node }: YamlEntry, reader: Reader): readonly ModelEntry[] | undefined {
  if (node.type === 'scalar' && node.value === null) return undefined;
  if (node.type !== 'list') {
    reader.wrong(node, 'models', 'a list of paths, or of entries with a path');
    return undefined;
  }
  return node.items.flatMap((item, index) => {
    const model = readModel(item, `models[${index}]`, reader);
    return model === undefined ? [] : [model];
  });
}

function readModel(node: YamlNode, where: string, reader: Reader): ModelEntry | undefined {
  const { line } = node.at;
  if (node.type === 'scalar' && isText(node.value)) {
    return { path: node.value, name: undefined, line, layer: EMPTY };
  }
  if (node.type !== 'map') {
    reader.wrong(node, where, 'a path, or an entry with a path');
    return undefined;
  }
  const layer = new Map<string, Given>();
  const own: { path?: string; name?: string } = {};
  for (const entry of node.entries) {
    if (entry.key !== 'path' && entry.key !== 'name') {
      reader.readEntry(entry, { tree: MODEL_OPTIONS, root: where, beside: ['path', 'name'] }, layer);
    } else if (entry.node.type === 'scalar' && isText(entry.node.value)) own[entry.key] = entry.node.value;
    else reader.wrong(entry.node, `${where}.${entry.key}`, 'a text that is not empty');
  }
  if (own.path === undefined) {
    if (!node.entries.some(({ key }) => key === 'path')) {
      reader.tell(
        node.at,
        where,
        'expected a `path`: the model file or folder, from the folder of this file',
      );
    }
    return undefined;
  }
  return { path: own.path, name: own.name, line, layer };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Where an entry stands. */
interface Position {
  /** The options of the entry's level, and below. */
  readonly tree: OptionTree;
  /** Where the tree begins in the file, such as `models[0]`; `` for the top. */
  readonly root: string;
  /** Keys from there to the entry. */
  readonly above?: readonly string[];
  /** Keys that are known on this level besides the options. */
  readonly beside?: readonly string[];
}

interface Reader {
  entriesOf(node: YamlNode, where: string): readonly YamlEntry[];
  readEntry(entry: YamlEntry, position: Position, layer: Map<string, Given>): void;
  wrong(node: YamlNode, where: string, expected: string): void;
  tell(at: Place, where: string, says: string): void;
}

function createReader(file: string, problems: Problem[]): Reader {
  function tell(at: Place, where: string, says: string): void {
    problems.push({ where, at, message: `${file}:${at.line}:${at.column}: ${where}: ${says}` });
  }

  function wrong(node: YamlNode, where: string, expected: string): void {
    const { at } = node;
    const got = node.type === 'scalar' ? node.value : { map: 'keys with values', list: 'a list' }[node.type];
    const told = node.type === 'scalar' ? shown(got) : got;
    const message = `${file}:${at.line}:${at.column}: ${where}: expected ${expected}, got ${told}`;
    problems.push({ where, at, expected, got, message });
  }

  /** A key with nothing after it, such as one whose values are commented out, is an empty map. */
  function entriesOf(node: YamlNode, where: string): readonly YamlEntry[] {
    if (node.type === 'map') return node.entries;
    if (node.type !== 'scalar' || node.value !== null) wrong(node, where || file, 'keys with values');
    return [];
  }

  function readEntry(entry: YamlEntry, position: Position, layer: Map<string, Given>): void {
    const { tree, root, above = [], beside = [] } = position;
    const { key, keyAt, node } = entry;
    const keys = [...above, key];
    const path = keys.join('.');
    const where = root === '' ? path : `${root}.${path}`;
    const found = Object.hasOwn(tree, key) ? tree[key] : undefined;
    if (found === undefined) {
      tell(keyAt, where, unknownKey(key, [...beside, ...Object.keys(tree)]));
    } else if (!isOption(found)) {
      for (const inner of entriesOf(node, where)) readEntry(inner, { tree: found, root, above: keys }, layer);
    } else {
      const value = found.kind.fromValue(plainValue(node));
      if (value === undefined) wrong(node, where, found.kind.expected);
      else {
        const meant = found.kind.within?.(value, dirname(file)) ?? value;
        layer.set(path, { value: meant, origin: { from: 'file', file, line: keyAt.line } });
      }
    }
  }

  return { tell, wrong, entriesOf, readEntry };
}

/** Names what was likely meant: a key of the same place, or the same key in another. */
function unknownKey(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known, '`');
  if (meant !== '') return `there is no such key${meant}`;
  const everywhere = leavesOf({ ...SERVER_OPTIONS, defaults: MODEL_OPTIONS }).map(({ path }) => path);
  const elsewhere = everywhere.find((path) => path.endsWith(`.${key}`));
  if (elsewhere !== undefined) return `there is no such key here; did you mean \`${elsewhere}\`?`;
  return `there is no such key; known here: ${known.join(', ')}`;
}
