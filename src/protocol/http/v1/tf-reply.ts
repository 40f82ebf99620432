import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { createJsonWriter } from '../../../base/oip/json-writer.ts';
import { isBytesData, type Tensor } from '../../../base/tensor/tensor.ts';
import { rowOf, writeBase64Values, writeValues } from './write-values.ts';

const WRITER = createJsonWriter();

/**
 * The answer in the format of the request. One output stands for itself; several are an object by name, in the
 * row format one for each row.
 * @throws NimifyError INVALID_INPUT where outputs of different lengths were asked for by rows
 */
export function encodeTfReply(outputs: readonly Tensor[], format: 'row' | 'column'): Uint8Array {
  WRITER.clear();
  const [only] = outputs;
  WRITER.ascii(format === 'row' ? '{"predictions":' : '{"outputs":');
  if (outputs.length === 1 && only !== undefined) write(only);
  else if (format === 'column') writeObject(outputs);
  else writeRows(outputs);
  WRITER.ascii('}');
  return WRITER.take();
}

function writeRows(outputs: readonly Tensor[]): void {
  const rows = outputs[0]?.shape[0] ?? 0;
  const other = outputs.find(({ shape }) => shape[0] !== rows);
  if (other !== undefined) {
    const shapes = outputs.map(({ name, shape }) => `${name} [${shape.join(',')}]`).join(', ');
    throw invalidInput(
      `instances: the outputs (${shapes}) do not have one entry a row; send the inputs by name in "inputs" instead`,
      { where: 'instances', expected: `${rows} rows of ${other.name}`, got: other.shape },
    );
  }
  WRITER.ascii('[');
  for (let row = 0; row < rows; row += 1) {
    if (row > 0) WRITER.ascii(',');
    writeObject(outputs.map((output) => rowOf(output, row)));
  }
  WRITER.ascii(']');
}

function writeObject(outputs: readonly Tensor[]): void {
  WRITER.ascii('{');
  for (const [index, output] of outputs.entries()) {
    if (index > 0) WRITER.ascii(',');
    WRITER.string(output.name);
    WRITER.ascii(':');
    write(output);
  }
  WRITER.ascii('}');
}

/** TensorFlow Serving takes outputs whose name ends in `_bytes` for binary data. */
function write(output: Tensor): void {
  if (isBytesData(output.data) && output.name.endsWith('_bytes')) {
    writeBase64Values(output.data, output.shape, WRITER);
  } else writeValues(output, WRITER);
}
