import { invalidInput } from '../errors/nimify-error.ts';
import { fromJson, toJson } from '../textproto/json-message.ts';
import { readMessage } from '../textproto/read-message.ts';
import { readTextproto } from '../textproto/read-textproto.ts';
import type { AnyMessage } from '../textproto/schema.ts';
import type { TextPlace } from '../textproto/text-error.ts';
import { MODEL_CONFIG, type ModelConfig } from './model-config.ts';

/** A model configuration, and where each of its fields stands. */
export interface ConfigText {
  /** The file, or what else it is from, for people. */
  readonly source: string;
  readonly text: string;
  readonly config: ModelConfig;
  /** By path, such as `input[0].dims`; empty where it came as JSON. */
  readonly places: ReadonlyMap<string, TextPlace>;
}

/**
 * Reads a `config.pbtxt`.
 * @param source name of the file, for the errors
 * @throws NimifyError INVALID_INPUT with line and column
 */
export function readModelConfig(text: string, source: string): ConfigText {
  const { message, places } = readMessage(MODEL_CONFIG, readTextproto(text, source), source);
  return { source, text, config: message, places };
}

/**
 * Reads a configuration in JSON, as a request to load a model carries it.
 * @throws NimifyError INVALID_INPUT with the path of what is wrong
 */
export function readModelConfigJson(json: string, source: string): ConfigText {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    const error = invalidInput(`${source}: expected a model configuration as JSON, got no JSON`, {
      where: source,
      expected: 'JSON',
    });
    error.cause = cause;
    throw error;
  }
  return { source, text: json, config: fromJson(MODEL_CONFIG, parsed, source), places: new Map() };
}

/** As Triton's configuration extension shows it. */
export function modelConfigJson(config: ModelConfig): AnyMessage {
  return toJson(MODEL_CONFIG, config);
}
