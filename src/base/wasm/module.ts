import { bytesOf, joined, type NumberType, type Statement, unsignedLeb, type Value } from './instructions.ts';

/** A parameter or local variable of the function; read where it is used as a value. */
export interface Variable<T extends NumberType> extends Value<T> {
  set(value: Value<T>): Statement;
}

/** Names the variables of a function, in the order in which they are asked for; its parameters come first. */
export interface Variables {
  readonly types: readonly NumberType[];
  add<T extends NumberType>(type: T): Variable<T>;
}

export function createVariables(): Variables {
  const types: NumberType[] = [];
  return {
    types,
    add: (type) => {
      const index = unsignedLeb(types.length);
      types.push(type);
      return {
        type,
        code: [0x20, index],
        set: (value) => ({ code: [value.code, 0x21, index] }),
      };
    },
  };
}

/** What the module's function may call: an import that returns an i32. */
export function callImport(...values: readonly Value<NumberType>[]): Value<'i32'> {
  return { type: 'i32', code: [values.map(({ code }) => code), 0x10, 0] };
}

export interface ModuleParts {
  /** What the imported function takes. */
  readonly importTakes: readonly NumberType[];
  readonly variables: Variables;
  /** So many of the variables are parameters. */
  readonly parameters: number;
  readonly body: readonly Statement[];
  /** What the function returns. */
  readonly result: Value<'i32'>;
}

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/**
 * A module with one function, exported as `run`; it imports a page of memory, `js.memory`, and the function `js.call`.
 * (WebAssembly Core Specification 2.0, section 5.5.)
 */
export function moduleBytes(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const types = parts.variables.types.map((type) => TYPE_BYTES[type]);
  const takes = parts.importTakes.map((type) => TYPE_BYTES[type]);
  const locals = types.slice(parts.parameters).map((type) => [1, type]);
  const code = [...list(locals), ...bytesOf([joined(parts.body), parts.result.code, 0x0b])];
  return Uint8Array.from([
    ...[0, ...ascii('asm'), 1, 0, 0, 0],
    ...section(1, [functionType(takes), functionType(types.slice(0, parts.parameters))]),
    ...section(2, [
      [...named('js'), ...named('memory'), 2, 0, 1],
      [...named('js'), ...named('call'), 0, 0],
    ]),
    ...section(3, [[1]]),
    ...section(7, [[...named('run'), 0, 1]]),
    ...section(10, [[...unsignedLeb(code.length), ...code]]),
  ]);
}

function functionType(takes: readonly number[]): readonly number[] {
  return [0x60, ...unsignedLeb(takes.length), ...takes, 1, TYPE_BYTES.i32];
}

function section(id: number, entries: readonly (readonly number[])[]): readonly number[] {
  const content = list(entries);
  return [id, ...unsignedLeb(content.length), ...content];
}

function list(entries: readonly (readonly number[])[]): readonly number[] {
  return [...unsignedLeb(entries.length), ...entries.flat()];
}

function named(name: string): readonly number[] {
  return [...unsignedLeb(name.length), ...ascii(name)];
}

function ascii(text: string): readonly number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}

/** What of WebAssembly is used; TypeScript's library for Node does not know it. Undefined under `--jitless`. */
interface WebAssemblyApi {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly run: (...values: number[]) => number } };
}

export interface Program {
  /** 64 KiB. */
  readonly memory: ArrayBuffer;
  readonly run: (...values: number[]) => number;
}

/**
 * Compiles the module; undefined where there is no WebAssembly, or none with vectors of 128 bits, or the process may
 * not have the address space that a memory of it takes.
 * @param toCall makes what the module calls, once there is memory
 */
export function startProgram(
  bytes: Uint8Array<ArrayBuffer>,
  toCall: (memory: ArrayBuffer) => (...values: number[]) => number,
): Program | undefined {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined) return undefined;
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const call = toCall(memory.buffer);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { js: { memory, call } });
    return { memory: memory.buffer, run: instance.exports.run };
  } catch {
    return undefined;
  }
}
