import { invalidInput } from '../base/errors/nimify-error.ts';
import type { Parameters, SequencePosition } from '../model/request.ts';

/**
 * OIP's parameter `timeout` (Triton's schedule policy extension) in nanoseconds; undefined where there is none, or 0.
 * @throws NimifyError INVALID_INPUT
 */
export function timeoutNsOf(parameters: Parameters): number | undefined {
  const timeout = parameters.timeout;
  if (timeout === undefined || timeout === 0) return undefined;
  if (typeof timeout === 'number' && Number.isFinite(timeout) && timeout > 0) return timeout * 1000;
  throw invalidInput(
    `parameters.timeout: expected microseconds as a number of at least 0, got ${JSON.stringify(timeout)}`,
    { where: 'parameters.timeout', expected: 'microseconds', got: timeout },
  );
}

/**
 * OIP's parameter `priority`; 0, the default, where there is none.
 * @throws NimifyError INVALID_INPUT
 */
export function priorityOf(parameters: Parameters): number {
  const priority = parameters.priority;
  if (priority === undefined) return 0;
  if (typeof priority === 'number' && Number.isSafeInteger(priority) && priority >= 0) return priority;
  throw invalidInput(
    `parameters.priority: expected an integer, 0 for the default or 1 (most urgent) and up, got ${JSON.stringify(priority)}`,
    { where: 'parameters.priority', expected: 'integer of at least 0', got: priority },
  );
}

/**
 * The place in a sequence (Triton's sequence extension): `sequence_id` 0 or empty means no sequence.
 * @throws NimifyError INVALID_INPUT
 */
export function sequenceOf(parameters: Parameters): SequencePosition | undefined {
  const id = parameters.sequence_id;
  const start = flagOf(parameters, 'sequence_start');
  const end = flagOf(parameters, 'sequence_end');
  if (typeof id === 'boolean' || (typeof id === 'number' && (!Number.isSafeInteger(id) || id < 0))) {
    throw invalidInput(
      `parameters.sequence_id: expected a string or an integer from 0 to 2^53 - 1, got ${id}; send larger ids as strings`,
      { where: 'parameters.sequence_id', got: id },
    );
  }
  if (id === undefined || id === 0 || id === '') {
    if (!start && !end) return undefined;
    throw invalidInput(
      'parameters.sequence_id: expected one beside sequence_start and sequence_end, got none',
      { where: 'parameters.sequence_id', expected: 'a string or a number above 0' },
    );
  }
  return { id, start, end };
}

function flagOf(parameters: Parameters, name: string): boolean {
  const value = parameters[name];
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw invalidInput(`parameters.${name}: expected true or false, got ${JSON.stringify(value)}`, {
    where: `parameters.${name}`,
    expected: 'boolean',
    got: value,
  });
}
