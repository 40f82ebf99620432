/** docs/engine-protocol.md is written for people who have nothing else: what it shows must be so. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeInferRequest } from '../../src/base/oip/decode.ts';
import { decodeInferResponse } from '../../src/base/oip/decode-response.ts';
import { encodeInferRequest } from '../../src/base/oip/encode-request.ts';
import { readChildError } from '../../src/engine/host/process-error.ts';
import { createFrameReader, encodeFrame, type Frame } from '../../src/engine/host/process-frame.ts';
import { readHello } from '../../src/engine/host/process-hello.ts';
import { createContext, createInferRequest, loadModel } from '../../src/index.ts';
import { describeWith } from '../require.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/engine-protocol.md'), 'utf8');

const blocks = (language: string) =>
  [...DOCUMENT.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!);

/** The bytes of a dump: the offset and the text at the side are for the eye, and are checked against the bytes. */
function readDump(dump: string): Buffer {
  const lines = dump.trimEnd().split('\n');
  const parts = lines.map((line) => {
    const bytes = Buffer.from(line.slice(6, 53).replaceAll(' ', ''), 'hex');
    expect(line.slice(55)).toBe(bytes.toString('latin1').replace(/[^ -~]/g, '.'));
    return bytes;
  });
  for (const [at, line] of lines.entries()) expect(Number.parseInt(line.slice(0, 4), 16)).toBe(at * 16);
  return Buffer.concat(parts);
}

function readFrame(bytes: Uint8Array): Frame {
  const frames: Frame[] = [];
  const reader = createFrameReader((frame) => frames.push(frame));
  reader.push(bytes);
  expect(reader.isWithinFrame).toBe(false);
  expect(frames).toHaveLength(1);
  return frames[0]!;
}

const jsonOf = ({ body, jsonLength }: Frame) => body.subarray(0, jsonLength);

describe('the engine protocol as documented', () => {
  const [hello, run, result, error] = blocks('hexdump').map((dump) => readFrame(readDump(dump)));

  it('shows a hello that is understood, in bytes and as JSON', () => {
    expect(hello).toMatchObject({ kind: 'hello', id: 0 });
    expect(readHello(jsonOf(hello!)).signature).toMatchObject({
      inputs: [{ name: 'x' }],
      outputs: [{ name: 'y' }],
    });
    expect(Buffer.from(jsonOf(hello!)).toString()).toBe(blocks('json')[0]!.trim());
  });

  it('shows the very bytes of a run', () => {
    expect(run).toMatchObject({ kind: 'run', id: 7 });
    const { inputs, outputs } = decodeInferRequest(run!.body, run!.jsonLength);
    expect(inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2.5) }]);
    expect(outputs?.map(({ name }) => name)).toEqual(['y']);
    const encoded = encodeFrame(
      'run',
      7,
      encodeInferRequest({ inputs, outputs: ['y'] }, { binary: true }).chunks,
    );
    expect(Buffer.concat(encoded)).toEqual(readDump(blocks('hexdump')[1]!));
  });

  it('shows a result and an error that are understood', () => {
    expect(result).toMatchObject({ kind: 'result', id: 7 });
    expect(decodeInferResponse(result!.body, result!.jsonLength).outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [2], data: Float32Array.of(2, 5) },
    ]);
    expect(error).toMatchObject({ kind: 'error', id: 7 });
    expect(readChildError(jsonOf(error!)).error).toMatchObject({
      ...{ code: 'INVALID_INPUT', message: 'x must not be empty' },
    });
  });

  it('shows the messages without content', () => {
    const rows = [...DOCUMENT.matchAll(/^\| `(ping|pong|drain|bye)` \| `([0-9a-f ]+)` \|$/gm)];
    expect(rows.map((row) => row[1])).toEqual(['ping', 'pong', 'drain', 'bye']);
    for (const [, kind, bytes] of rows) {
      expect(readFrame(Buffer.from(bytes!.replaceAll(' ', ''), 'hex'))).toMatchObject({ kind, id: 0 });
    }
  });
});

describeWith(['python'], 'the whole child in the document', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-child-'));
  const program = join(folder, 'double');

  beforeAll(() => {
    writeFileSync(program, blocks('python')[0]!);
    chmodSync(program, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is served as it stands', async () => {
    const { model, notes, platform } = await loadModel(program);
    expect(platform).toBe('exec_program');
    expect(model).toMatchObject({ name: 'double', deterministic: true, signature: { batchAxis: 0 } });
    expect(notes.batchAxis).toContain('get the same answers alone, together and reordered');
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [3], data: Float32Array.of(1, 2.5, -4) } as const];
    const { outputs } = await model.infer(createInferRequest({ model: 'double', inputs }), createContext());
    expect(outputs[0]).toMatchObject({ name: 'y', shape: [3], data: Float32Array.of(2, 5, -8) });
    await model.close({ graceMs: 5000 });
  });

  it('may be executed, or it is said how to make it so', async () => {
    chmodSync(program, 0o644);
    await expect(loadModel(program)).rejects.toThrow(/may not be executed; make it executable \(chmod \+x\)/);
    chmodSync(program, 0o755);
  });
});
