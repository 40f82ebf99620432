import { invalidInput } from '../errors/nimify-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { scanTensors, splitBody } from './decode.ts';
import { expectEnd, readString, refuseNonJsonStart, scanObject, shorten } from './json-object.ts';
import { hasWord, skipValue } from './json-value.ts';
import { type ParameterRecord, scanParameters, toRecord } from './parameters.ts';
import { expectAllTaken } from './tensor-entry.ts';

export interface DecodedInferResponse {
  readonly model: string;
  /** Empty where the server has no versions. */
  readonly version: string;
  readonly id: string;
  /** Views over the body where they came as aligned binary data. Names are unique. */
  readonly outputs: readonly Tensor[];
  readonly parameters: ParameterRecord;
}

/**
 * Decodes the body of an answer (OIP's $inference_response), the client's side of `encodeInferResponse`.
 * `headerLength` is the answer's Inference-Header-Content-Length.
 * @throws NimifyError INVALID_INPUT where the body is no such answer
 */
export function decodeInferResponse(
  body: Uint8Array,
  headerLength: number | undefined,
): DecodedInferResponse {
  const { json, part } = splitBody(body, headerLength);
  refuseNonJsonStart(json, 'body');
  const texts = { model_name: '', model_version: '', id: '' };
  let parameters: ParameterRecord = {};
  let outputs: readonly Tensor[] | undefined;
  const end = scanObject(json, 0, 'body', (key, at) => {
    if (hasWord(json, at, 'null')) return at + 4;
    switch (key) {
      case 'model_name':
      case 'model_version':
      case 'id': {
        const scanned = readString(json, at, key);
        texts[key] = scanned.text;
        return scanned.end;
      }
      case 'parameters': {
        const scanned = scanParameters(json, at, 'parameters');
        parameters = toRecord(scanned.parameters);
        return scanned.end;
      }
      case 'outputs': {
        const scanned = scanTensors(json, at, 'outputs', part);
        outputs = scanned.tensors;
        return scanned.end;
      }
      default:
        return skipValue(json, at, () => shorten(key));
    }
  });
  expectEnd(json, end, 'body');
  if (outputs === undefined) {
    throw invalidInput("body: expected a member 'outputs' with the output tensors, got none", {
      where: 'body',
      expected: 'outputs',
    });
  }
  expectAllTaken(part, 'outputs');
  return { model: texts.model_name, version: texts.model_version, id: texts.id, outputs, parameters };
}
