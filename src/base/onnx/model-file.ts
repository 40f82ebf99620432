import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { invalidInput, NimifyError } from '../errors/nimify-error.ts';
import type { ModelFile } from './contract.ts';
import { findExternalData } from './external-data.ts';
import { createFileBytes, type FileBytes } from './file-bytes.ts';
import { findProblems } from './find-problems.ts';
import { toValueInfo } from './raw-model.ts';
import { readOnnx } from './read-onnx.ts';
import { readOrt } from './read-ort.ts';
import { SNIFF_BYTES, sniffFormat } from './sniff-format.ts';
import { unreadable } from './unreadable.ts';

export type { ModelFile, Problem, ValueInfo } from './contract.ts';
export { hashModelFile } from './hash-model-file.ts';

/**
 * Reads what an ONNX or ORT file says about itself. Weights are passed over, not read, so memory and time do
 * not grow with them. What makes a readable model unfit to serve is listed in `problems`, not thrown.
 * @throws NimifyError NOT_FOUND (no such file), INVALID_INPUT (no model, or damaged), UNSUPPORTED (a model of
 * another format; the message says how to come from it to ONNX)
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const absolute = resolve(path);
  const sizeBytes = await sizeOfFile(absolute);
  // Not blocking, lest a pipe that took the file's place since then hold us here.
  const handle = await open(absolute, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause) => {
    throw unreadable(absolute, cause);
  });
  try {
    return await readOpened(createFileBytes(handle, sizeBytes), absolute);
  } catch (thrown) {
    throw naming(absolute, thrown);
  } finally {
    await handle.close();
  }
}

async function readOpened(file: FileBytes, path: string): Promise<ModelFile> {
  const head = Buffer.alloc(Math.min(SNIFF_BYTES, file.sizeBytes));
  await file.read(head, 0);
  const format = sniffFormat(head, path);
  const model = format === 'onnx' ? await readOnnx(file) : await readOrt(file);
  const { files, problems } = await findExternalData(path, model.facts.external);
  const isOptional = (name: string) => model.initializers.has(name);
  const inputs = model.inputs.map((input) => toValueInfo(input, isOptional(input.name)));
  const outputs = model.outputs.map((output) => toValueInfo(output, false));
  return {
    format,
    path,
    sizeBytes: file.sizeBytes,
    graphName: model.graphName,
    description: model.description,
    producer: { name: model.producerName, version: model.producerVersion },
    irVersion: model.irVersion ?? 0,
    opsets: model.opsets,
    inputs,
    outputs,
    metadata: Object.fromEntries(model.metadata),
    parameterCount: model.facts.parameterCount,
    externalData: files,
    operators: Object.fromEntries(model.facts.operators),
    indexLimits: Object.fromEntries(model.indexLimits),
    valueRisks: model.facts.valueRisks(),
    problems: [...findProblems(model, inputs, outputs), ...problems],
  };
}

async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) {
    throw invalidInput(`${path} is a folder; give the path of the .onnx or .ort file in it`, { where: path });
  }
  if (!found.isFile()) {
    throw invalidInput(`${path} is no ordinary file (a pipe, socket or device); give a .onnx or .ort file`, {
      where: path,
    });
  }
  return found.size;
}

/** What is wrong within a file is told by readers that know bytes only; among several files, which one matters. */
function naming(path: string, thrown: unknown): unknown {
  if (!(thrown instanceof NimifyError) || thrown.message.includes(path)) return thrown;
  const { code, message, cause } = thrown;
  return new NimifyError(code, `${path}: ${message}`, { details: { where: path, ...thrown.details }, cause });
}
