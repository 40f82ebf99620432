import type { Tensor } from '../../../base/tensor/tensor.ts';
import { ownMember } from '../../../base/util/own-member.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import { isReservedMember } from '../v1/simple-request.ts';
import { labelsOf } from '../v1/top-labels.ts';
import { type JsonValue, jsonValues } from './json-values.ts';

/** Bodies that are known to work, made from the model's self-test. Undefined members: too long to show. */
export interface ModelExamples {
  readonly inferRequest: JsonValue | undefined;
  readonly inferResponse: JsonValue | undefined;
  readonly predictRequest: JsonValue | undefined;
  readonly predictResponse: JsonValue | undefined;
  readonly columnRequest: JsonValue | undefined;
  readonly columnResponse: JsonValue | undefined;
}

type Values = Readonly<Record<string, JsonValue>>;

/** @param named the `model` member is needed, since several models are served */
export function examplesOf(served: ServedModel, named: boolean): ModelExamples {
  const { example, name, version } = served;
  const inputs = example && nestedByName(example.inputs);
  const outputs = example && nestedByName(example.outputs);
  const labels = example && labelValues(served, example.outputs);
  return {
    inferRequest: wrap(example && oipTensors(example.inputs), (tensors) => ({ inputs: tensors })),
    inferResponse: wrap(example && oipTensors(example.outputs), (tensors) => ({
      model_name: name,
      model_version: version,
      outputs: tensors,
    })),
    predictRequest: wrap(inputs, (values) => {
      const isPlain = !Object.keys(values).some(isReservedMember);
      return { ...(named ? { model: name } : {}), ...(isPlain ? values : { inputs: values }) };
    }),
    predictResponse: wrap(outputs, (values) => ({
      model: name,
      version,
      outputs: values,
      ...(labels === undefined ? {} : { labels }),
    })),
    columnRequest: wrap(inputs, (values) => ({ inputs: values })),
    columnResponse: wrap(outputs, (values) => {
      const all = Object.values(values);
      return { outputs: all.length === 1 ? all[0]! : values };
    }),
  };
}

function wrap<Part>(part: Part | undefined, build: (part: Part) => JsonValue): JsonValue | undefined {
  return part === undefined ? undefined : build(part);
}

function oipTensors(tensors: readonly Tensor[]): readonly JsonValue[] | undefined {
  const shown: JsonValue[] = [];
  for (const tensor of tensors) {
    const data = jsonValues(tensor, 'flat');
    if (data === undefined) return undefined;
    shown.push({ name: tensor.name, datatype: tensor.datatype, shape: tensor.shape, data });
  }
  return shown;
}

function nestedByName(tensors: readonly Tensor[]): Values | undefined {
  const values = new Map<string, JsonValue>();
  for (const tensor of tensors) {
    const value = jsonValues(tensor, 'nested');
    if (value === undefined) return undefined;
    values.set(tensor.name, value);
  }
  return Object.fromEntries(values);
}

function labelValues(served: ServedModel, outputs: readonly Tensor[]): Values | undefined {
  const labels = new Map<string, JsonValue>();
  for (const output of outputs) {
    const names = ownMember(served.labels, output.name);
    const told = names && labelsOf(output, names);
    if (told !== undefined) labels.set(output.name, told as JsonValue);
  }
  return labels.size === 0 ? undefined : Object.fromEntries(labels);
}
