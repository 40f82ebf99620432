import type { Document, LineCounter, Node } from 'yaml';
import { configError, type Place } from './problem.ts';

/** A YAML document as plain data that knows its places. */
export type YamlNode =
  | { readonly type: 'scalar'; readonly value: unknown; readonly at: Place }
  | { readonly type: 'map'; readonly entries: readonly YamlEntry[]; readonly at: Place }
  | { readonly type: 'list'; readonly items: readonly YamlNode[]; readonly at: Place };

export interface YamlEntry {
  readonly key: string;
  readonly keyAt: Place;
  readonly node: YamlNode;
}

/** A configuration is small; a document that grows past this by its aliases is an attack or an accident. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 50;

/**
 * Reads YAML 1.2 (core schema), aliases resolved. An empty document is an empty map.
 * @param file name for the errors
 * @throws NimifyError CONFIG_INVALID with line and column
 */
export async function readYamlTree(text: string, file: string): Promise<YamlNode> {
  // Loaded here and not above: who has no file does not pay the 20 ms.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = parse(yaml, text, lines, file);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) {
    const says = FAULTS[fault.code] ?? 'this is no YAML; check quotes, colons and indentation around it';
    throw refuse(file, placeAt(fault.pos[0]), says, fault);
  }
  if (document.contents === null) return { type: 'map', entries: [], at: { line: 1, column: 1 } };

  let count = 0;

  function toTree(node: Node | null, near: Place, depth: number): YamlNode {
    const at = placeOf(node, near);
    count += 1;
    if (count > MAX_NODES) throw refuse(file, at, `expected at most ${MAX_NODES} values; leave aliases out`);
    if (depth > MAX_DEPTH) throw refuse(file, at, `expected at most ${MAX_DEPTH} levels`);
    if (yaml.isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) throw refuse(file, at, FAULTS.BAD_ALIAS!);
      return toTree(target, at, depth + 1);
    }
    if (yaml.isSeq<Node | null>(node)) {
      return { type: 'list', at, items: node.items.map((item) => toTree(item, at, depth + 1)) };
    }
    if (yaml.isMap<Node | null, Node | null>(node)) {
      const entries = node.items.map(({ key, value }) => {
        const keyAt = placeOf(key, at);
        if (!yaml.isScalar(key)) throw refuse(file, keyAt, 'expected a plain word as the key');
        return { key: String(key.value), keyAt, node: toTree(value, keyAt, depth + 1) };
      });
      return { type: 'map', at, entries };
    }
    return { type: 'scalar', at, value: yaml.isScalar(node) ? node.value : null };
  }

  function placeOf(node: Node | null, near: Place): Place {
    const start = node?.range?.[0];
    return start === undefined ? near : placeAt(start);
  }

  function placeAt(offset: number): Place {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }

  return toTree(document.contents, { line: 1, column: 1 }, 0);
}

/** The data without its places. */
export function plainValue(node: YamlNode): unknown {
  switch (node.type) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainValue);
    case 'map':
      return Object.fromEntries(node.entries.map((entry) => [entry.key, plainValue(entry.node)]));
  }
}

function parse(
  yaml: typeof import('yaml'),
  text: string,
  lineCounter: LineCounter,
  file: string,
): Document.Parsed {
  try {
    return yaml.parseDocument(text, { lineCounter, prettyErrors: false });
  } catch (thrown) {
    // The parser calls itself for each level, and may run out of stack.
    throw refuse(file, { line: 1, column: 1 }, FAULTS.RESOURCE_EXHAUSTION!, thrown);
  }
}

/** What is wrong, in words of ours, by the parser's codes. */
const FAULTS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not fit the lines above',
  TAB_AS_INDENT: 'a tab indents this line; use spaces',
  DUPLICATE_KEY: 'this key stands twice in the same place; keep one',
  MULTIPLE_DOCS: 'a second document begins here; keep one',
  MISSING_CHAR: 'a bracket, quote or colon is missing',
  BAD_ALIAS: 'this alias (*) has no anchor (&) before it',
  TAG_RESOLVE_FAILED: 'tags (!) have no meaning here; leave it out',
  RESOURCE_EXHAUSTION: 'the brackets are nested too deep',
  BAD_DQ_ESCAPE: 'this escape means nothing in a text between double quotes; write \\\\ for a backslash',
};

function refuse(file: string, at: Place, says: string, cause?: unknown) {
  const message = `${file}:${at.line}:${at.column}: ${says}`;
  return configError([{ message, where: file, at }], cause);
}
