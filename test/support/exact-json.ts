/**
 * JSON as it is written: integers beyond 2^53 come out as bigint instead of a neighbour. What is no JSON, such as a
 * bare `NaN`, is refused.
 */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

export function parseExactly(text: string): Json {
  const token =
    /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;
  let at = 0;
  let current = next();
  const value = read();
  if (text.slice(at).trim() !== '' || current !== undefined)
    throw new SyntaxError(`text after the value at ${at}`);
  return value;

  function next(): string | undefined {
    if (text.slice(at, at + 100).trim() === '' && text.slice(at).trim() === '') return undefined;
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new SyntaxError(`no JSON at ${at}: ${text.slice(at, at + 20)}`);
    at = token.lastIndex;
    return match[0].trimStart();
  }

  function take(): string {
    const taken = current;
    if (taken === undefined) throw new SyntaxError('the text ends too early');
    current = next();
    return taken;
  }

  function expectToken(wanted: string): void {
    const got = take();
    if (got !== wanted) throw new SyntaxError(`expected ${wanted} before ${at}, got ${got}`);
  }

  function read(): Json {
    const first = take();
    if (first === '[') return readArray();
    if (first === '{') return readObject();
    if (/^-?\d/.test(first)) return toNumber(first);
    return JSON.parse(first) as Json;
  }

  function readArray(): Json[] {
    const items: Json[] = [];
    if (current === ']') {
      take();
      return items;
    }
    for (;;) {
      items.push(read());
      const separator = take();
      if (separator === ']') return items;
      if (separator !== ',') throw new SyntaxError(`expected , or ] before ${at}, got ${separator}`);
    }
  }

  function readObject(): { [key: string]: Json } {
    const fields: { [key: string]: Json } = {};
    if (current === '}') {
      take();
      return fields;
    }
    for (;;) {
      const key = JSON.parse(take()) as string;
      expectToken(':');
      fields[key] = read();
      const separator = take();
      if (separator === '}') return fields;
      if (separator !== ',') throw new SyntaxError(`expected , or } before ${at}, got ${separator}`);
    }
  }
}

function toNumber(digits: string): number | bigint {
  const number = Number(digits);
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(number) ? BigInt(digits) : number;
}
