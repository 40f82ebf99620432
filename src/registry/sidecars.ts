import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { invalidInput } from '../base/errors/nimify-error.ts';
import { scanObjectMembers } from '../base/oip/json-object.ts';
import { scanTensorValue } from '../base/oip/json-tensor.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { dataLength } from '../base/tensor/tensor.ts';
import { fitShape } from '../model/fit-shape.ts';
import type { Signature } from '../model/signature.ts';
import type { FoundModel } from './repository.ts';

/** What a user may put beside a model. */
export const SIDECAR_NAMES = ['example.json', 'labels.json', 'labels.txt'] as const;

const MAX_SIDECAR_BYTES = 16 * 1024 * 1024;

export interface SidecarFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * A file that somebody put beside a model: `digits.labels.json` for `digits.onnx`, or plain `labels.json` where
 * the model is the only one of its folder. Undefined where there is none.
 */
export async function findSidecar(
  found: FoundModel,
  names: readonly (typeof SIDECAR_NAMES)[number][],
): Promise<SidecarFile | undefined> {
  const folder = dirname(found.path);
  const stem = found.path.slice(0, -extname(found.path).length);
  const candidates = names.flatMap((name) => [
    `${stem}.${name}`,
    ...(found.alone ? [join(folder, name)] : []),
  ]);
  for (const path of candidates) {
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() !== true) continue;
    if (info.size > MAX_SIDECAR_BYTES) {
      throw invalidInput(`${path}: ${info.size} bytes; expected at most ${MAX_SIDECAR_BYTES}`, {
        where: path,
      });
    }
    return { path, bytes: await readFile(path) };
  }
  return undefined;
}

/**
 * The inputs of an `example.json`: `{"inputs": {"<input name>": <nested values>}}`.
 * @throws NimifyError INVALID_INPUT where it does not fit the signature
 */
export function readExample(signature: Signature, file: SidecarFile): readonly Tensor[] {
  const members = scanObjectMembers(file.bytes, file.path);
  const inputs = members.get('inputs');
  if (inputs === undefined) {
    throw invalidInput(`${file.path}: expected {"inputs": {"<input name>": <values>}}`, { where: file.path });
  }
  const values = file.bytes.subarray(inputs.start, inputs.end);
  const tensors: Tensor[] = [];
  for (const [name, span] of scanObjectMembers(values, `${file.path}: inputs`)) {
    const spec = signature.inputs.find((input) => input.name === name);
    const where = `${file.path}: inputs.${name}`;
    if (spec === undefined) {
      const known = signature.inputs.map((input) => input.name).join(', ');
      throw invalidInput(`${where}: the model has no such input; it has ${known}`, { where });
    }
    const { data, shape } = scanTensorValue(values, span.start, spec.datatype, where);
    tensors.push({ name, datatype: spec.datatype, shape: fitShape(spec, shape, dataLength(data)), data });
  }
  return tensors;
}
