import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { createPinoLogger } from '../../base/telemetry/pino-log.ts';
import { createContext } from '../../model/context.ts';
import { createInferRequest } from '../../model/request.ts';
import { validateRequest } from '../../model/validate.ts';
import { loadModel } from '../../registry/load.ts';
import type { ImageHints } from '../image/image-settings.ts';
import { readOnnxImageMetadata } from '../image/onnx-image-metadata.ts';
import { readPreprocessorConfig } from '../image/preprocessor-config.ts';
import type { PredictTarget, TargetOptions } from './target.ts';

/**
 * A model file, loaded into this process for one prediction.
 * @throws NimifyError where the file cannot be served
 */
export async function openFileTarget(path: string, options: TargetOptions): Promise<PredictTarget> {
  const served = await loadModel(path, {
    // For one prediction, a thread of its own, several sessions and the batch axis' proof would only cost time.
    engine: {
      ...{ host: 'inline', instances: 1, batchAxis: 'none' },
      ...(options.python === undefined ? {} : { python: options.python }),
    },
    ...(options.model === undefined ? {} : { name: options.model }),
    // What a Python function writes to stderr, its tracebacks first of all.
    log: createPinoLogger({ level: 'warn', pretty: true }),
    ...(options.timeoutMs === undefined ? {} : { defaultTimeoutMs: options.timeoutMs }),
  });
  const { model, artifact, labels } = served;
  return {
    inputs: model.signature.inputs,
    labels,
    imageHints: [...(await sidecarHints(artifact.path)), readOnnxImageMetadata(artifact.metadata)],
    async infer(inputs, outputs) {
      const request = createInferRequest({
        model: served.name,
        inputs,
        ...(outputs === undefined ? {} : { outputs }),
      });
      validateRequest(model.signature, request);
      return model.infer(request, createContext());
    },
    close: () => model.close({ graceMs: 0 }),
  };
}

/** `digits.preprocessor_config.json`, or plain `preprocessor_config.json`, beside the model. */
async function sidecarHints(modelPath: string): Promise<readonly ImageHints[]> {
  const stem = modelPath.slice(0, -extname(modelPath).length);
  for (const path of [
    `${stem}.preprocessor_config.json`,
    join(dirname(modelPath), 'preprocessor_config.json'),
  ]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return [readPreprocessorConfig(text, path)];
  }
  return [];
}
