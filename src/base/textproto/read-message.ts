import { didYouMean } from '../util/nearest-name.ts';
import { readEnum, readScalar } from './read-scalar.ts';
import type {
  AnyMessage,
  Field,
  FieldType,
  MapType,
  MessageFields,
  MessageOf,
  MessageType,
} from './schema.ts';
import { type TextPlace, type TextProblem, textError } from './text-error.ts';
import type { TextField, TextList, TextMessage, TextValue } from './text-tree.ts';

/** A message and where its parts stand. */
export interface ReadMessage<M> {
  readonly message: M;
  /** By path: `max_batch_size`, `input[0].dims`, `parameters['key']`. Of a list: where it begins. */
  readonly places: ReadonlyMap<string, TextPlace>;
}

/**
 * Gives a message of the text format its type.
 * @param file name for the errors
 * @throws NimifyError INVALID_INPUT with all that is wrong, each with its line and column
 */
export function readMessage<F extends MessageFields>(
  type: MessageType<F>,
  text: TextMessage,
  file: string,
): ReadMessage<MessageOf<F>> {
  const problems: TextProblem[] = [];
  const places = new Map<string, TextPlace>();
  const message = createReader(problems, places).readFields(type, text.fields, '');
  if (problems.length > 0) throw textError(file, problems);
  return { message: message as MessageOf<F>, places };
}

function createReader(problems: TextProblem[], places: Map<string, TextPlace>) {
  function wrong(at: TextPlace, field: string, expected: string, value: TextValue | TextList): undefined {
    const got = shown(value);
    problems.push({ at, field, expected, got, says: `expected ${expected}, got ${got}` });
    return undefined;
  }

  function readFields(
    type: MessageType<MessageFields>,
    fields: readonly TextField[],
    above: string,
  ): AnyMessage {
    const message: Record<string, unknown> = Object.create(null);
    const chosen = new Map<string, string>();
    for (const { name, kind, value, at } of fields) {
      const path = above === '' ? name : `${above}.${name}`;
      const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
      if (kind !== 'field') problems.push({ at, says: noExtension(type, name, kind), got: name });
      else if (field === undefined)
        problems.push({ at, field: path, says: unknownField(type, name), got: name });
      else {
        const other = field.oneof === undefined ? undefined : chosen.get(field.oneof);
        if (field.oneof !== undefined) chosen.set(field.oneof, name);
        if (other !== undefined && other !== name) {
          problems.push({
            at,
            field: path,
            says: `${other} is set too, and only one of them may be; leave one out`,
          });
        } else readField(message, { name, path, field, value, at });
      }
    }
    return message;
  }

  interface Given {
    readonly name: string;
    readonly path: string;
    readonly field: Field;
    readonly value: TextValue | TextList;
    readonly at: TextPlace;
  }

  function readField(message: Record<string, unknown>, { name, path, field, value, at }: Given): void {
    if (!places.has(path)) places.set(path, at);
    const { type } = field;
    if (type.kind === 'map') {
      message[name] ??= new Map<string, unknown>();
      const map = message[name] as Map<string, unknown>;
      for (const item of itemsOf(value)) readEntry(map, type, item, path);
    } else if (field.repeated) {
      message[name] ??= [];
      const list = message[name] as unknown[];
      for (const item of itemsOf(value)) {
        const itemPath = `${path}[${list.length}]`;
        if (type.kind === 'message') places.set(itemPath, item.at);
        list.push(readValue(type, item, type.kind === 'message' ? itemPath : path));
      }
    } else if (value.type === 'list') {
      wrong(value.at, path, `${describe(type)}, and one only`, value);
    } else if (name in message) {
      problems.push({ at, field: path, says: 'this field is set twice; keep one' });
    } else message[name] = readValue(type, value, path);
  }

  function readEntry(map: Map<string, unknown>, type: MapType<unknown>, item: TextValue, path: string): void {
    if (item.type !== 'message') {
      wrong(item.at, path, 'an entry { key: ... value: ... }', item);
      return;
    }
    const entry: MessageType<MessageFields> = {
      kind: 'message',
      name: 'an entry',
      fields: { key: { type: type.key, repeated: false }, value: { type: type.entry, repeated: false } },
    };
    // What is inside is named after the key, so the key is read first, and alone.
    const keyField = item.fields.find(({ name }) => name === 'key');
    const silent = createReader([], new Map());
    const { key: given } = silent.readFields(entry, keyField === undefined ? [] : [keyField], '');
    const key = String(given ?? (type.key.name === 'string' ? '' : 0));
    const entryPath = `${path}['${key}']`;
    places.set(entryPath, item.at);
    const { value } = readFields(entry, item.fields, entryPath);
    map.set(key, value ?? defaultOf(type.entry));
  }

  function readValue(type: FieldType, value: TextValue, path: string): unknown {
    if (type.kind === 'message') {
      if (value.type === 'message') return readFields(type, value.fields, path);
      return wrong(value.at, path, describe(type), value);
    }
    if (type.kind === 'map') throw new TypeError('a map holds no maps');
    const read = type.kind === 'enum' ? readEnum(type, value) : readScalar(type.name, value);
    return read.ok ? read.value : wrong(value.at, path, read.expected, value);
  }

  return { readFields };
}

function itemsOf(value: TextValue | TextList): readonly TextValue[] {
  return value.type === 'list' ? value.items : [value];
}

/** What a field holds that is not set (proto3). */
export function defaultOf(type: FieldType): unknown {
  switch (type.kind) {
    case 'message':
      return {};
    case 'map':
      return new Map();
    case 'enum':
      return type.values[0];
    case 'scalar':
      return { string: '', bool: false }[type.name as string] ?? 0;
  }
}

const MOST_LISTED = 10;

export function unknownField(type: MessageType<MessageFields>, name: string): string {
  const known = Object.keys(type.fields);
  const listed = known.slice(0, MOST_LISTED).join(', ') + (known.length > MOST_LISTED ? ', ...' : '');
  return `${type.name} has no such field${didYouMean(name, known) || `; known here: ${listed}`}`;
}

function noExtension(type: MessageType<MessageFields>, name: string, kind: 'extension' | 'any'): string {
  const what = kind === 'any' ? 'an expanded Any value' : 'an extension';
  return `[${name}] is ${what}, and ${type.name} has none; leave it out`;
}

function describe(type: FieldType): string {
  switch (type.kind) {
    case 'message':
      return `a message in { } (${type.name})`;
    case 'enum':
      return `one of ${type.values.join(', ')}`;
    case 'map':
      return 'entries { key: ... value: ... }';
    case 'scalar':
      return { string: 'a text between quotes', bool: 'true or false' }[type.name as string] ?? 'a number';
  }
}

const LONGEST_SHOWN = 60;

function shown(value: TextValue | TextList): string {
  switch (value.type) {
    case 'message':
      return 'a message';
    case 'list':
      return 'a list';
    case 'string': {
      const text = new TextDecoder().decode(value.bytes);
      return `"${text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}...`}"`;
    }
    default:
      return `${value.negative ? '-' : ''}${value.text.slice(0, LONGEST_SHOWN)}`;
  }
}
