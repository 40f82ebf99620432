import type { HttpOptions } from '../../../src/protocol/http/deps.ts';
import { echo, type FakeServedOptions } from '../../../src/protocol/http/fake-registry.ts';
import { ROWS_OF_FOUR } from '../../../src/registry/fake-served.ts';

/** Who reads the connections, and whether the model answers before it returns: all must come to the same. */
export interface Reading {
  readonly name: string;
  readonly reader: HttpOptions['reader'];
  readonly model: FakeServedOptions;
}

const LATER: FakeServedOptions = { name: 'rows' };
const AT_ONCE: FakeServedOptions = { name: 'rows', inferNow: (request) => echo(request, ROWS_OF_FOUR) };

export const READINGS: readonly Reading[] = [
  { name: 'read by node:http', reader: 'node', model: LATER },
  { name: 'read by node:http, answered at once', reader: 'node', model: AT_ONCE },
  { name: 'read by the own reader', reader: 'own', model: LATER },
  { name: 'read by the own reader, answered at once', reader: 'own', model: AT_ONCE },
];
