/**
 * The member of that name, where the record has it itself. Names of tensors come from model files and may be those
 * of what every object inherits: `constructor`, `toString`.
 */
export function ownMember<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
