import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * What is measured, smallest first. `inputs` is one request of one row; `computeBound` models are held against
 * the bare engine, the others against FastAPI. `suite`: measured there alone.
 */
export const MODELS = [
  {
    name: 'own_iris_rf',
    about: 'random forest, 4 numbers in: next to nothing but the server itself',
    file: ({ root }) => `${root}/examples/demo/iris/model.onnx`,
    inputs: [floats('X', [1, 4])],
  },
  {
    name: 'linear16',
    about: 'linear layer, 16 numbers in, 4 out: next to nothing but the server itself',
    file: ({ built }) => `${built}/linear16/model.onnx`,
    inputs: [floats('x', [1, 16])],
    suite: 'grpc',
  },
  {
    name: 'mlp784',
    about: '784-256-10 network',
    file: ({ built }) => `${built}/mlp784/model.onnx`,
    inputs: [floats('x', [1, 784])],
  },
  {
    name: 'pixels',
    about: 'mean of each channel of a 224 x 224 image: 602 KB of floats in, hardly any compute',
    file: ({ built }) => `${built}/pixels/model.onnx`,
    inputs: [floats('x', [1, 3, 224, 224])],
  },
  {
    name: 'mnist',
    about: 'small convolutional network',
    file: ({ data }) => `${data}/models/mnist/model.onnx`,
    inputs: [floats('Input3', [1, 1, 28, 28])],
  },
  {
    name: 'magika',
    about: 'type of a file from 2048 of its bytes',
    file: ({ data }) => `${data}/models/magika/model.onnx`,
    inputs: [ints('bytes', [1, 2048], (index) => (index * 7919) % 257)],
    suite: 'batching',
  },
  {
    name: 'convnet',
    about: 'six convolutions on a 32 x 32 image',
    file: ({ built }) => `${built}/convnet/model.onnx`,
    inputs: [floats('x', [1, 3, 32, 32])],
    suite: 'batching',
  },
  {
    name: 'resnet18',
    about: 'the shape of ResNet-18, a 224 x 224 image',
    file: ({ built }) => `${built}/resnet18/model.onnx`,
    inputs: [floats('x', [1, 3, 224, 224])],
    computeBound: true,
    suite: 'limits',
  },
  {
    name: 'encoder',
    about: 'the shape of all-MiniLM-L6-v2, 32 tokens',
    file: ({ built }) => `${built}/encoder/model.onnx`,
    inputs: [
      longs('input_ids', [1, 32], (index) => (index * 7919) % 30522),
      longs('attention_mask', [1, 32], () => 1),
    ],
    computeBound: true,
  },
  {
    name: 'light_squeezenet',
    about: 'SqueezeNet',
    file: ({ data }) => `${data}/models/light_squeezenet/model.onnx`,
    inputs: [floats('data_0', [1, 3, 224, 224])],
    computeBound: true,
  },
  {
    name: 'light_resnet50',
    about: 'ResNet-50',
    file: ({ data }) => `${data}/models/light_resnet50/model.onnx`,
    inputs: [floats('gpu_0/data_0', [1, 3, 224, 224])],
    computeBound: true,
  },
];

/**
 * Models with the path of their file; those whose file is not there come with `missing`. Without names: all but those
 * that are there for one suite alone.
 */
export function findModels(names, places) {
  for (const name of names ?? []) {
    if (MODELS.some((model) => model.name === name)) continue;
    throw new Error(`no model '${name}'; there are ${MODELS.map((model) => model.name).join(', ')}`);
  }
  return MODELS.filter(({ name, suite }) => names?.includes(name) ?? suite === undefined).map((model) => {
    const path = resolve(model.file(places));
    return { ...model, path, missing: !existsSync(path) };
  });
}

/** Five digits each, which makes 8 bytes a number as JSON: what a client sends who rounds. */
function floats(name, shape) {
  const data = Float32Array.from({ length: countOf(shape) }, (_, index) => ((index * 7919) % 99991) / 1e5);
  return { name, datatype: 'FP32', shape, data, text: (at) => String(((at * 7919) % 99991) / 1e5) };
}

function ints(name, shape, valueAt) {
  const data = Int32Array.from({ length: countOf(shape) }, (_, index) => valueAt(index));
  return { name, datatype: 'INT32', shape, data, text: (at) => String(valueAt(at)) };
}

function longs(name, shape, valueAt) {
  const data = BigInt64Array.from({ length: countOf(shape) }, (_, index) => BigInt(valueAt(index)));
  return { name, datatype: 'INT64', shape, data, text: (at) => String(valueAt(at)) };
}

function countOf(shape) {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
