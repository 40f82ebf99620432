import { type ErrorDetails, invalidInput, type NimifyError } from '../errors/nimify-error.ts';

/** A place in a text; both count from 1, the column in UTF-16 units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a text. */
export interface TextProblem {
  readonly at: TextPlace;
  /** What is wrong and what to do, without the place. */
  readonly says: string;
  /** Path of the field, such as `input[0].dims`; absent where the text is no text format at all. */
  readonly field?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
}

const MOST_TOLD = 5;
/** Names in a text may have any length. */
const LONGEST_TOLD = 350;

/**
 * One INVALID_INPUT for all that is wrong with a text, each with its line and column. Its details are of the first.
 * @param file name of the text, for people
 */
export function textError(file: string, problems: readonly TextProblem[], cause?: unknown): NimifyError {
  const told = problems.slice(0, MOST_TOLD).map((problem) => describe(file, problem));
  if (problems.length > MOST_TOLD) told.push(`and ${problems.length - MOST_TOLD} more`);
  const message =
    told.length === 1 ? told.join() : `${file} has ${problems.length} faults:\n- ${told.join('\n- ')}`;
  const { at, field, expected, got } = problems[0]!;
  const details: ErrorDetails = {
    where: field === undefined ? file : `${file}: ${field}`,
    ...at,
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got }),
  };
  const error = invalidInput(message, details);
  if (cause !== undefined) error.cause = cause;
  return error;
}

function describe(file: string, { at, field, says }: TextProblem): string {
  const place = `${file}:${at.line}:${at.column}`;
  const told = field === undefined ? `${place}: ${says}` : `${place}: ${field}: ${says}`;
  return told.length <= LONGEST_TOLD ? told : `${told.slice(0, LONGEST_TOLD)}...`;
}
