import { NimifyError } from '../base/errors/nimify-error.ts';
import { scanTensorValue } from '../base/oip/json-tensor.ts';
import { dataLength, type Tensor } from '../base/tensor/tensor.ts';
import { ownMember } from '../base/util/own-member.ts';
import { fitShape } from '../model/fit-shape.ts';
import type { Signature } from '../model/signature.ts';

/**
 * The outputs of one row as the configuration gives them, in the order of the signature.
 * @throws NimifyError CONFIG_INVALID where they are not the model's, or some are missing
 */
export function readConstant(
  { outputs }: Signature,
  given: Readonly<Record<string, unknown>>,
  where: string,
): readonly Tensor[] {
  const known = outputs.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw misfit(`${where}.${unknown}`, `the model has no such output; it has ${known.join(', ')}`);
  }
  return outputs.map((spec) => {
    const at = `${where}.${spec.name}`;
    const value = ownMember(given, spec.name);
    if (value === undefined) throw misfit(at, 'expected a value for each output, got none for this one');
    try {
      const text = new TextEncoder().encode(JSON.stringify(value));
      const { data, shape } = scanTensorValue(text, 0, spec.datatype, at);
      return {
        name: spec.name,
        datatype: spec.datatype,
        shape: fitShape(spec, shape, dataLength(data)),
        data,
      };
    } catch (failed) {
      if (failed instanceof NimifyError) throw misfit(at, failed.message, failed);
      throw failed;
    }
  });
}

function misfit(where: string, what: string, cause?: NimifyError): NimifyError {
  return new NimifyError('CONFIG_INVALID', `${where}: ${what}`, {
    details: { where },
    ...(cause === undefined ? {} : { cause }),
  });
}
