import type { Document, YAMLMap, YAMLSeq } from 'yaml';
import { configError, type Problem } from './problem.ts';
import { readFileSettings } from './read-file.ts';

/** What is to stand in the entry of a model: values by their keys, in groups as in the file. */
export interface EntrySettings {
  readonly [key: string]: string | number | boolean | EntrySettings;
}

export interface ModelEdit {
  /** As a new entry names the model. */
  readonly path: string;
  /** Is an entry that has this path the model's? */
  readonly isSame: (path: string) => boolean;
  /** Is it that of a folder around the model? A new entry begins as a copy of the nearest such. Default: none is. */
  readonly isAround?: (path: string) => boolean;
  readonly settings: EntrySettings;
}

export interface EditedFile {
  readonly text: string;
  /** Was the model listed before? */
  readonly wasListed: boolean;
}

/**
 * nimify.yaml with settings of one model set in its entry, which is added where there is none. All else stays: other
 * settings, comments, and the order of both.
 * @param text '' for a file that is not there yet
 * @throws NimifyError CONFIG_INVALID where the file is none that nimify takes, or would be none afterwards
 */
export async function editModelEntry(text: string, file: string, edit: ModelEdit): Promise<EditedFile> {
  await check(text, file);
  const yaml = await import('yaml');
  const document = yaml.parseDocument(text);
  if (document.contents === null) {
    const { commentBefore } = document;
    document.contents = document.createNode({}) as Document.Parsed['contents'];
    document.commentBefore = commentBefore;
  }
  const { entry, wasListed } = findEntry(yaml, document, edit);
  put(yaml, document, entry, edit.settings);
  const written = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  const edited = text.includes('\r\n') ? written.replaceAll('\n', '\r\n') : written;
  await check(edited, file);
  return { text: edited, wasListed };
}

async function check(text: string, file: string): Promise<void> {
  const problems: Problem[] = [];
  await readFileSettings(text, file, problems);
  if (problems.length > 0) throw configError(problems);
}

type Yaml = typeof import('yaml');

/** The model's entry as a map; a path alone becomes one, with the comments that stood by it. */
function findEntry(
  yaml: Yaml,
  document: Document.Parsed,
  { path, isSame, isAround = () => false }: ModelEdit,
): { readonly entry: YAMLMap; readonly wasListed: boolean } {
  const models = listOfModels(yaml, document);
  let around: { readonly entry: YAMLMap; readonly named: string } | undefined;
  for (const [index, item] of models.items.entries()) {
    const node = ownCopy(yaml, document, item);
    const named = yaml.isMap(node) ? node.get('path') : yaml.isScalar(node) ? node.value : undefined;
    if (typeof named !== 'string') continue;
    const isNearest = named.length > (around?.named.length ?? 0);
    if (yaml.isMap(node) && isAround(named) && isNearest) around = { entry: node, named };
    if (!isSame(named)) continue;
    const entry = yaml.isMap(node) ? node : (document.createNode({ path: named }) as YAMLMap);
    if (yaml.isScalar(node)) {
      entry.commentBefore = node.commentBefore ?? null;
      entry.comment = node.comment ?? null;
    }
    models.items[index] = entry;
    return { entry, wasListed: true };
  }
  const entry = document.createNode({ ...around?.entry.toJS(document), path }) as YAMLMap;
  models.add(entry);
  return { entry, wasListed: false };
}

function listOfModels(yaml: Yaml, document: Document.Parsed): YAMLSeq {
  const models: unknown = document.get('models');
  if (yaml.isSeq(models)) {
    if (models.items.length === 0) models.flow = false;
    return models;
  }
  const made = document.createNode([]) as YAMLSeq;
  document.set('models', made);
  return made;
}

/** Group by group, so that what else stands in a group stays. */
function put(yaml: Yaml, document: Document.Parsed, into: YAMLMap, settings: EntrySettings): void {
  for (const [key, value] of Object.entries(settings)) {
    const there = ownCopy(yaml, document, into.get(key, true));
    if (typeof value === 'object' && yaml.isMap(there)) {
      put(yaml, document, there, value);
      into.set(key, there);
    } else if (typeof value !== 'object' && yaml.isScalar(there)) there.value = value;
    else into.set(key, document.createNode(value));
  }
}

/** What an alias stands for, to be changed here and not where it comes from; anything else as it is. */
function ownCopy(yaml: Yaml, document: Document.Parsed, node: unknown): unknown {
  if (!yaml.isAlias(node)) return node;
  const copy = node.resolve(document)?.clone();
  if (copy !== undefined && 'anchor' in copy) delete copy.anchor;
  return copy;
}
