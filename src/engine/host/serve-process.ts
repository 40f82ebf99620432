import { Socket } from 'node:net';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { decodeInferRequest } from '../../base/oip/decode.ts';
import { encodeInferResponse } from '../../base/oip/encode.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import { type Clock, systemClock } from '../../base/util/clock.ts';
import type { RunRequest } from '../../model/engine.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { writeChildError } from './process-error.ts';
import { createFrameReader, encodeFrame, type Frame, type FrameKind } from './process-frame.ts';
import { writeHello } from './process-hello.ts';
import type { HostSession, SessionInfo, SessionSource } from './session.ts';

export interface ServeProcessOptions {
  readonly platform: string;
  open(source: SessionSource, clock: Clock): Promise<HostSession>;
  /** Does this failure of the load come from a lack of memory? Those of runs say so in their details. */
  isOutOfMemory(failure: unknown): boolean;
}

/**
 * The life of a child process: load, say hello, answer runs, and leave when told to or when the parent is gone.
 * The first argument is a `SessionSource` as JSON. It ignores the signals by which people and supervisors end the
 * server: those reach every process, and the server wants to finish its runs first.
 */
export async function serveProcess(options: ServeProcessOptions): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  const wire = new Socket({ fd: Number(process.env.NIMIFY_ENGINE_FD ?? 3), readable: true, writable: true });
  wire.on('error', () => process.exit());
  wire.on('close', () => process.exit());

  function send(kind: FrameKind, id = 0, parts: readonly Uint8Array[] = []): void {
    wire.cork();
    for (const chunk of encodeFrame(kind, id, parts)) wire.write(chunk);
    wire.uncork();
  }

  let session: HostSession;
  try {
    const source = JSON.parse(process.argv[2] ?? '') as SessionSource;
    session = await options.open(source, systemClock);
    const { info } = session;
    refuseNonTensors(info, source.path);
    send('hello', 0, [
      writeHello({
        platform: options.platform,
        signature: { inputs: toSpecs(info.inputs), outputs: toSpecs(info.outputs), batchAxis: 'none' },
        slots: 1,
        deterministic: true,
        memoryBytes: info.memoryBytes,
      }),
    ]);
  } catch (refused) {
    send('error', 0, [writeChildError(refused, options.isOutOfMemory(refused))]);
    wire.end();
    return;
  }

  async function answer({ id, body, jsonLength }: Frame): Promise<void> {
    try {
      const { inputs, outputs = [] } = decodeInferRequest(body, jsonLength);
      const names = outputs.map((output) => output.name);
      const request: RunRequest = { inputs, outputs: names, owner: BORROWED };
      // This process has nothing else to do, so a run may block it at once.
      const result = session.runNow === undefined ? await session.run(request) : session.runNow(request);
      const response = {
        ...{ model: '', version: '', id: '', outputs: result.outputs },
        parameters: { compute_ns: Math.round(result.computeNs) },
      };
      send('result', id, encodeInferResponse(response, () => true).chunks);
    } catch (failed) {
      send('error', id, [writeChildError(failed, false)]);
    }
  }

  async function leave(): Promise<void> {
    await session.close();
    send('bye');
    wire.end(); // and its close ends the process
  }

  const reader = createFrameReader((frame) => {
    if (frame.kind === 'run') void answer(frame);
    else if (frame.kind === 'ping') send('pong');
    else if (frame.kind === 'drain') void leave();
  });
  wire.on('data', (chunk: Buffer) => reader.push(chunk));
}

/** The wire's signature has tensors only. An output that is none is left out, an input cannot be. */
function refuseNonTensors({ inputs }: SessionInfo, path: string): void {
  const odd = inputs.find((input) => input.datatype === undefined);
  if (odd === undefined) return;
  throw new NimifyError(
    'UNSUPPORTED',
    `${path}: input '${odd.name}' is required and is no tensor that can be passed; export the model with plain ` +
      'tensors as inputs',
    { details: { where: `inputs.${odd.name}` } },
  );
}

/** The file's reader knows the shapes, in the parent; here they are not said. */
function toSpecs(values: SessionInfo['inputs']): readonly TensorSpec[] {
  return values.flatMap(({ name, datatype }) =>
    datatype === undefined ? [] : [{ name, datatype, shape: [-1], dimensionNames: [], anyRank: true }],
  );
}
