import { extname } from 'node:path';
import { invalidInput, NimifyError } from '../errors/nimify-error.ts';
import { mayBeginOnnx } from './read-onnx.ts';

/** How many bytes of a file `sniffFormat` wants to see. */
export const SNIFF_BYTES = 512;

/** A format that is not served, how it is known, and how to come from it to ONNX. */
interface ForeignFormat {
  readonly name: string;
  readonly matches: (head: Buffer, extension: string) => boolean;
  readonly howToExport: string;
}

const FROM_TORCH = "export it from PyTorch: torch.onnx.export(model, (example_input,), 'model.onnx')";
const FROM_KERAS = "export it from Keras: model.export('model.onnx', format='onnx')";
const FROM_TENSORFLOW = 'convert it: python -m tf2onnx.convert --saved-model DIR --output model.onnx';
const FROM_SKLEARN = 'convert it in Python: skl2onnx.to_onnx(model, X[:1]), and save SerializeToString()';
const FROM_HUB = 'export the original model: optimum-cli export onnx --model NAME DIR';

const startsWith = (bytes: string) => (head: Buffer) => head.toString('latin1', 0, bytes.length) === bytes;
const contains = (head: Buffer, text: string) => head.includes(text, 0, 'latin1');
const isZip = startsWith('PK\x03\x04');
/** Pickle protocol 2 and above begin with PROTO and the version (PEP 307). */
const isPickle = (head: Buffer) => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 9) <= 5;

/** The first that matches counts. */
const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  {
    name: 'a PyTorch file',
    matches: (head) => isZip(head) && (contains(head, '/data.pkl') || contains(head, '/.format_version')),
    howToExport: FROM_TORCH,
  },
  {
    name: 'a PyTorch file',
    matches: (head, extension) =>
      (isZip(head) || isPickle(head)) && ['.pt', '.pth', '.ckpt', '.bin'].includes(extension),
    howToExport: FROM_TORCH,
  },
  // The number that PyTorch's old format pickles first (torch/serialization.py, MAGIC_NUMBER).
  {
    name: 'a PyTorch file',
    matches: startsWith('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19'),
    howToExport: FROM_TORCH,
  },
  {
    name: 'a Keras file',
    matches: (head, extension) => isZip(head) && (extension === '.keras' || contains(head, 'metadata.json')),
    howToExport: FROM_KERAS,
  },
  { name: 'a Keras (HDF5) file', matches: startsWith('\x89HDF\r\n\x1a\n'), howToExport: FROM_KERAS },
  {
    name: 'a zip archive',
    matches: isZip,
    howToExport: 'unpack it and serve the .onnx file inside, or export the model to ONNX',
  },
  { name: 'a Python pickle', matches: isPickle, howToExport: FROM_SKLEARN },
  {
    name: 'a safetensors file, which has weights but no graph',
    matches: (head) => head.length > 9 && head.readUInt32LE(4) === 0 && head[8] === 0x7b,
    howToExport: FROM_HUB,
  },
  { name: 'a GGUF file', matches: startsWith('GGUF'), howToExport: FROM_HUB },
  {
    name: 'a TensorFlow Lite file',
    matches: (head) => head.toString('latin1', 4, 8) === 'TFL3',
    howToExport: 'convert it: python -m tf2onnx.convert --tflite model.tflite --output model.onnx',
  },
  {
    name: 'a NumPy file',
    matches: startsWith('\x93NUMPY'),
    howToExport: 'it has an array and no model; give the model file',
  },
  {
    name: 'a TensorRT engine',
    matches: startsWith('ftrt'),
    howToExport: 'serve the ONNX model that it was built from',
  },
  {
    name: 'compressed (gzip)',
    matches: startsWith('\x1f\x8b'),
    howToExport: 'unpack it with gunzip or tar and serve the .onnx file inside',
  },
  {
    name: 'a TensorFlow graph',
    matches: (head, extension) => extension === '.pb' && !mayBeginOnnx(head[0] ?? 0, head[1] ?? 0),
    howToExport: FROM_TENSORFLOW,
  },
];

/**
 * Tells the format by the first bytes; the extension only helps to name what is not served.
 * @throws NimifyError INVALID_INPUT or UNSUPPORTED where the file is no model, or one of another kind
 */
export function sniffFormat(head: Buffer, path: string): 'onnx' | 'ort' {
  if (head.length === 0) {
    throw invalidInput('the model file is empty; export or download it again', {
      where: path,
      got: '0 bytes',
    });
  }
  if (head.toString('latin1', 4, 8) === 'ORTM') return 'ort';
  refuseText(head, path);
  const extension = extname(path).toLowerCase();
  const foreign = FOREIGN_FORMATS.find((format) => format.matches(head, extension));
  if (foreign !== undefined) {
    throw new NimifyError(
      'UNSUPPORTED',
      `this is ${foreign.name}, not an ONNX model; ${foreign.howToExport}`,
      {
        details: { where: path, expected: 'an ONNX or ORT model', got: foreign.name },
      },
    );
  }
  if (mayBeginOnnx(head[0] ?? 0, head[1] ?? 0)) return 'onnx';
  throw invalidInput('this is not an ONNX or ORT model, and no format that nimify knows; give a .onnx file', {
    where: path,
    expected: 'an ONNX or ORT model',
    got: `bytes ${head.subarray(0, 8).toString('hex')}`,
  });
}

/** Text where a model should be: pointers, web pages, listings. */
function refuseText(head: Buffer, path: string): void {
  const text = head.toString('latin1');
  if (text.startsWith('version https://git-lfs')) {
    const sizeBytes = /^size (\d+)$/m.exec(text)?.[1];
    const size = sizeBytes === undefined ? '' : ` of ${sizeBytes} bytes`;
    throw invalidInput(
      `this is a Git-LFS pointer: the model${size} itself was not downloaded; run \`git lfs pull\` in its repository`,
      { where: path, got: 'a Git-LFS pointer' },
    );
  }
  if (/^\s*<(!doctype|html|head|\?xml)/i.test(text.replace(/^\xef\xbb\xbf/, ''))) {
    throw invalidInput(
      'this is a web page (or XML), not a model; download the file itself, not the page that shows it',
      { where: path, got: 'HTML or XML' },
    );
  }
  // Protobuf of any real model has control characters in its first bytes; text files have none.
  if (/^[\t\n\r -~\x80-\xff]*$/.test(text)) {
    throw invalidInput('this is a text file, not an ONNX model; give a .onnx or .ort file', {
      where: path,
      expected: 'an ONNX or ORT model',
      got: JSON.stringify(text.slice(0, 40)),
    });
  }
}
