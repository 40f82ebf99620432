import { join } from 'node:path';
import { invalidInput, toNimifyError, withPlace } from '../../base/errors/nimify-error.ts';
import { decodeSection } from '../../base/oip/binary-tensor.ts';
import { allocateTensorData } from '../../base/tensor/allocate.ts';
import { elementCount, type Tensor } from '../../base/tensor/tensor.ts';
import { toDatatype } from '../../base/triton/data-type.ts';
import type { ConfigWarmup, ModelConfig } from '../../base/triton/model-config.ts';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import { exampleInputs } from '../../model/example.ts';
import { createInferRequest } from '../../model/request.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { validateRequest } from '../../model/validate.ts';
import { readNamedFile } from './read-named-file.ts';

const MAX_SAMPLE_BYTES = 2 ** 28;

type WarmupInput = NonNullable<ConfigWarmup['inputs']> extends ReadonlyMap<string, infer I> ? I : never;

/**
 * Asks a model what its configuration wants it to have been asked before it is ready (`model_warmup`).
 * @param folder of the model; files of inputs lie in its `warmup` folder
 * @throws NimifyError INVALID_INPUT where a sample does not fit the model, or what the model failed with
 */
export async function warmUp(model: Model, folder: string, config: ModelConfig): Promise<void> {
  for (const [at, warmup] of (config.model_warmup ?? []).entries()) {
    const where = `model_warmup[${at}]`;
    try {
      const inputs = await makeInputs(model, folder, warmup);
      validateRequest(model.signature, { inputs });
      for (let round = 0; round < (warmup.count || 1); round++) {
        const response = await model.infer(
          createInferRequest({ model: model.name, inputs }),
          createContext(),
        );
        response.owner.release();
      }
    } catch (thrown) {
      throw withPlace(where, toNimifyError(thrown));
    }
  }
}

async function makeInputs(model: Model, folder: string, warmup: ConfigWarmup): Promise<readonly Tensor[]> {
  const tensors: Tensor[] = [];
  for (const [name, input] of warmup.inputs ?? []) {
    const spec = model.signature.inputs.find((one) => one.name === name);
    tensors.push(await makeTensor({ name, input, rows: warmup.batch_size ?? 1, spec, folder }));
  }
  return tensors;
}

interface Sample {
  readonly name: string;
  readonly input: WarmupInput;
  readonly rows: number;
  readonly spec: TensorSpec | undefined;
  readonly folder: string;
}

/** A file holds one row, and every row of a sample is that one. */
async function makeTensor({ name, input, rows, spec, folder }: Sample): Promise<Tensor> {
  const { dims = [], data_type: type = 'TYPE_INVALID', input_data_file: file } = input;
  const datatype = toDatatype(type);
  if (datatype === undefined) throw invalidInput(`inputs['${name}'].data_type: expected a datatype`);
  const hasRows = spec !== undefined && spec.shape.length === dims.length + 1;
  const shape = hasRows ? [rows, ...dims] : [...dims];
  if (file !== undefined) {
    const bytes = await readNamedFile(join(folder, 'warmup', file), `inputs['${name}']`, MAX_SAMPLE_BYTES);
    const all = hasRows ? Buffer.concat(Array.from({ length: rows }, () => bytes)) : bytes;
    return {
      name,
      datatype,
      shape,
      data: decodeSection(all, datatype, elementCount(shape), `inputs['${name}']: ${file}`),
    };
  }
  // Triton makes no random texts either.
  if (input.random_data !== undefined && datatype !== 'BYTES') {
    const dimensionNames = shape.map(() => undefined);
    const signature = {
      inputs: [{ name, datatype, shape, dimensionNames }],
      outputs: [],
      batchAxis: 'none' as const,
    };
    return exampleInputs(signature, { random: createSeededRandom(1) })[0]!;
  }
  return { name, datatype, shape, data: allocateTensorData(datatype, elementCount(shape)) };
}
