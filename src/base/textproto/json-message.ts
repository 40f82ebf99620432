import { invalidInput, type NimifyError } from '../errors/nimify-error.ts';
import { defaultOf, unknownField } from './read-message.ts';
import { valueMeant } from './read-scalar.ts';
import {
  type AnyMessage,
  type FieldType,
  integerRange,
  type MessageFields,
  type MessageOf,
  type MessageType,
  type ScalarName,
} from './schema.ts';

/**
 * Gives a message in protobuf's JSON form its type. Field names may be as in the .proto or in camelCase; integers may
 * be texts, enums numbers; null is as nothing.
 * @param where what it is, for the errors
 * @throws NimifyError INVALID_INPUT with the path of what is wrong
 */
export function fromJson<F extends MessageFields>(
  type: MessageType<F>,
  json: unknown,
  where: string,
): MessageOf<F> {
  return readObject(type, json, where) as MessageOf<F>;
}

/**
 * A message as JSON: names as in the .proto, fields of plain values and lists also where nothing is set, integers of
 * 64 bits as numbers. So does Triton's configuration extension.
 */
export function toJson<F extends MessageFields>(type: MessageType<F>, message: MessageOf<F>): AnyMessage {
  return writeObject(type, message as AnyMessage);
}

function readObject(type: MessageType<MessageFields>, json: unknown, where: string): AnyMessage {
  const message: Record<string, unknown> = Object.create(null);
  const chosen = new Map<string, string>();
  for (const [key, value] of Object.entries(toObject(json, where))) {
    if (value === null) continue;
    const name = Object.hasOwn(type.fields, key) ? key : snakeCase(key);
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    const path = `${where}.${key}`;
    if (field === undefined)
      throw invalidInput(`${path}: ${unknownField(type, key)}`, { where: path, got: key });
    if (name in message) throw invalidInput(`${path}: this field is set twice; keep one`, { where: path });
    const other = field.oneof === undefined ? undefined : chosen.get(field.oneof);
    if (other !== undefined) {
      throw invalidInput(`${path}: ${other} is set too, and only one of them may be; leave one out`, {
        where: path,
      });
    }
    if (field.oneof !== undefined) chosen.set(field.oneof, name);
    if (!field.repeated) message[name] = readValue(field.type, value, path);
    else if (!Array.isArray(value)) throw misfit(path, 'a list', value);
    else message[name] = value.map((item, at) => readValue(field.type, item, `${path}[${at}]`));
  }
  return message;
}

function readValue(type: FieldType, json: unknown, where: string): unknown {
  switch (type.kind) {
    case 'message':
      return readObject(type, json, where);
    case 'map':
      return new Map(
        Object.entries(toObject(json, where)).map(([key, value]) => [
          key,
          readValue(type.entry, value, `${where}['${key}']`),
        ]),
      );
    case 'enum':
      return readEnum(type.values, json, where);
    case 'scalar':
      return readScalar(type.name, json, where);
  }
}

function readEnum(values: readonly string[], json: unknown, where: string): string {
  if (typeof json === 'string' && values.includes(json)) return json;
  const named = typeof json === 'number' ? values[json] : undefined;
  if (named !== undefined) return named;
  const meant = typeof json === 'string' ? valueMeant(json, values) : '';
  throw misfit(where, `one of ${values.join(', ')}${meant}`, json);
}

function readScalar(name: ScalarName, json: unknown, where: string): string | number | boolean {
  if (name === 'string') {
    if (typeof json === 'string') return json;
    throw misfit(where, 'a text', json);
  }
  if (name === 'bool') {
    if (typeof json === 'boolean') return json;
    throw misfit(where, 'true or false', json);
  }
  const number = typeof json === 'string' && json.trim() !== '' ? Number(json) : json;
  const range = integerRange(name);
  if (range === undefined) {
    if (typeof number === 'number' && (!Number.isNaN(number) || json === 'NaN')) return number;
    throw misfit(where, 'a number', json);
  }
  const [min, max] = range;
  if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw misfit(where, `a whole number from ${min} to ${max}`, json);
}

function toObject(json: unknown, where: string): object {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw misfit(where, 'an object', json);
}

function misfit(where: string, expected: string, json: unknown): NimifyError {
  const got = (JSON.stringify(json) ?? typeof json).slice(0, 60);
  return invalidInput(`${where}: expected ${expected}, got ${got}`, { where, expected, got });
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function writeObject(type: MessageType<MessageFields>, message: AnyMessage): AnyMessage {
  const json: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const value = message[name];
    if (value !== undefined) {
      json[name] = field.repeated
        ? (value as readonly unknown[]).map((item) => writeValue(field.type, item))
        : writeValue(field.type, value);
    } else if (field.repeated) json[name] = [];
    else if (field.oneof === undefined && field.type.kind !== 'message') {
      json[name] = writeValue(field.type, defaultOf(field.type));
    }
  }
  return json;
}

function writeValue(type: FieldType, value: unknown): unknown {
  if (type.kind === 'message') return writeObject(type, value as AnyMessage);
  if (type.kind === 'map') {
    const entries = [...(value as ReadonlyMap<string, unknown>)];
    return Object.fromEntries(entries.map(([key, item]) => [key, writeValue(type.entry, item)]));
  }
  // JSON has no such numbers; protobuf writes their names.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
