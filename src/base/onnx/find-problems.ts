import type { Problem, ValueInfo } from './contract.ts';
import {
  BUILT_IN_DOMAINS,
  ENGINE_NAME,
  EXTENSION_DOMAINS,
  MAX_IR_VERSION,
  MAX_OPSET,
  MAX_ORT_VERSION,
} from './engine-support.ts';
import { domainName, operatorName } from './graph-facts.ts';
import { LIMITS } from './limits.ts';
import { quoteName } from './quote-name.ts';
import type { RawModel } from './raw-model.ts';

/** Datatypes of the protocol that the engine's Node binding does not give or take. */
const NOT_IN_NODE: ReadonlySet<string> = new Set(['BF16']);

/** What will not work with this model and why, as far as the file alone shows it. */
export function findProblems(
  model: RawModel,
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
): Problem[] {
  const problems = [
    ...versionProblems(model),
    ...operatorProblems(model),
    ...inputs.flatMap((input, i) => inputProblems(input, `inputs[${i}]`)),
    ...outputs.flatMap((output, i) => outputProblems(output, `outputs[${i}]`, model)),
    ...tensorProblems(model),
  ];
  if (!outputs.some((output) => output.datatype !== undefined)) problems.push(nothingToServe(outputs));
  return problems.slice(0, LIMITS.problems);
}

function versionProblems(model: RawModel): Problem[] {
  const problems: Problem[] = [];
  const { irVersion } = model;
  if (irVersion === undefined || irVersion < 1) {
    problems.push({
      severity: 'error',
      where: 'irVersion',
      message: 'the file states no IR version',
      fix: 'export the model again with a current exporter',
    });
  } else if (irVersion > MAX_IR_VERSION) {
    problems.push({
      severity: 'error',
      where: 'irVersion',
      message: `IR version ${irVersion} is newer than ${ENGINE_NAME} reads (up to ${MAX_IR_VERSION})`,
      fix: `save it with model.ir_version = ${MAX_IR_VERSION} or lower, where its operators allow it`,
    });
  }
  if (model.opsets.length === 0) {
    problems.push({
      severity: 'error',
      where: 'opsets',
      message: 'the file imports no operator set; it may be cut short',
      fix: 'export or download the model again',
    });
  }
  if (model.ortVersion !== undefined && !(Number(model.ortVersion) <= MAX_ORT_VERSION)) {
    problems.push({
      severity: 'error',
      where: 'ortVersion',
      message: `ORT format version ${quoteName(model.ortVersion)} is newer than ${ENGINE_NAME} reads (up to ${MAX_ORT_VERSION})`,
      fix: 'serve the ONNX model, or convert it again with the onnxruntime Python package of the same version',
    });
  }
  // An ORT file lists every domain that the ONNX Runtime that wrote it knew; only those in use matter there.
  const used = model.format === 'onnx' ? undefined : usedDomains(model);
  for (const { domain, version } of model.opsets) {
    const highest = MAX_OPSET.get(domain);
    if (highest === undefined || version <= highest || used?.has(domain) === false) continue;
    problems.push({
      severity: 'error',
      where: 'opsets',
      message: `operator set ${domain} ${version} is newer than ${ENGINE_NAME} knows (up to ${highest})`,
      fix: `export the model with opset ${highest} or lower (opset_version=${highest} in torch.onnx.export, target_opset in skl2onnx)`,
    });
  }
  return problems;
}

function usedDomains(model: RawModel): Set<string> {
  const used = new Set<string>();
  for (const name of model.facts.operators.keys()) {
    const dot = name.lastIndexOf('.');
    used.add(dot < 0 ? 'ai.onnx' : name.slice(0, dot));
  }
  return used;
}

/** One problem for each domain, however many of its operators are used. */
function operatorProblems(model: RawModel): Problem[] {
  const byDomain = new Map<string, string[]>();
  for (const { domain, opType } of model.facts.customOperators) {
    if (BUILT_IN_DOMAINS.has(domainName(domain)) || model.functions.has(operatorName(domain, opType)))
      continue;
    const operators = byDomain.get(domain);
    if (operators === undefined) byDomain.set(domain, [opType]);
    else operators.push(opType);
  }
  return [...byDomain].map(([domain, operators]) => {
    const shown = operators.slice(0, 5).map(quoteName).join(', ') + (operators.length > 5 ? ', ...' : '');
    const isExtension = EXTENSION_DOMAINS.has(domain);
    const library = isExtension ? 'onnxruntime-extensions' : 'a custom operator library';
    return {
      severity: 'error',
      where: 'operators',
      message: `the model needs ${library}: domain ${quoteName(domain)} (${shown}) is not built into ${ENGINE_NAME}`,
      fix: isExtension
        ? 'export the model without its pre- and post-processing steps and do those in the client'
        : 'export the model with standard operators, or with those operators as functions in the file',
    };
  });
}

function inputProblems(input: ValueInfo, where: string): Problem[] {
  if (input.optional) return [];
  const name = `input ${quoteName(input.name)}`;
  if (input.kind === 'unknown') {
    return [
      {
        severity: 'error',
        where,
        message: `${name} has no type in the file`,
        fix: 'export the model again with typed inputs',
      },
    ];
  }
  if (input.kind !== 'tensor') {
    return [
      {
        severity: 'error',
        where,
        message: `${name} is ${input.type}; only tensors can be sent`,
        fix: 'export the model with plain tensors as inputs',
      },
    ];
  }
  return [...nameProblems(input, where, name), ...datatypeProblems(input, where, name)];
}

/** The engine's binding keeps tensors in objects by name, where this one name is no name. */
function nameProblems({ name }: ValueInfo, where: string, label: string): Problem[] {
  if (name !== '__proto__') return [];
  return [
    {
      severity: 'error',
      where,
      message: `${label} has a name under which ${ENGINE_NAME} cannot pass a tensor`,
      fix: 'rename it in the graph and save the model again',
    },
  ];
}

function outputProblems(output: ValueInfo, where: string, model: RawModel): Problem[] {
  const name = `output ${quoteName(output.name)}`;
  if (output.kind === 'tensor') {
    return [...nameProblems(output, where, name), ...datatypeProblems(output, where, name)];
  }
  if (output.kind === 'unknown') {
    return [
      {
        severity: 'warning',
        where,
        message: `${name} has no type in the file; the model is offered without this output`,
        fix: 'save the model again after onnx.shape_inference.infer_shapes(model)',
      },
    ];
  }
  const isZipMap = output.type.startsWith('seq(map(') && model.facts.operators.has('ai.onnx.ml.ZipMap');
  return [
    {
      severity: 'warning',
      where,
      message: `${name} is ${output.type}${isZipMap ? ', made by ZipMap' : ''}, no tensor; the model is offered without this output`,
      fix: isZipMap
        ? "convert it again with zipmap off: skl2onnx.to_onnx(model, X[:1], options={'zipmap': False})"
        : 'export the model with plain tensors as outputs',
    },
  ];
}

function datatypeProblems(value: ValueInfo, where: string, name: string): Problem[] {
  if (value.datatype !== undefined && !NOT_IN_NODE.has(value.datatype)) return [];
  const wider = /^u?int/.test(value.type) ? 'int8' : 'float32';
  return [
    {
      severity: 'error',
      where,
      message: `${name} is ${value.type}, which ${ENGINE_NAME} cannot pass in or out`,
      fix: `put a Cast to ${wider} at this place and export the model again`,
    },
  ];
}

function tensorProblems(model: RawModel): Problem[] {
  return model.facts.badTensors.map((name) => ({
    severity: 'error',
    where: 'initializers',
    message: `the dimensions of tensor ${quoteName(name)} are negative, or too large to be`,
    fix: 'the file is damaged; export or download it again',
  }));
}

function nothingToServe(outputs: readonly ValueInfo[]): Problem {
  return {
    severity: 'error',
    where: 'outputs',
    message:
      outputs.length === 0
        ? 'the model has no outputs'
        : 'no output of the model is a tensor that can be sent',
    fix: 'export the model with at least one plain tensor as output',
  };
}
