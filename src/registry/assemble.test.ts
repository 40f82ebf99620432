import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Logger, SILENT } from '../base/telemetry/log.ts';
import { loadModel } from './load.ts';

const embedding = fileURLToPath(new URL('../../test/fixtures/embedding.onnx', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nimify-assemble-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('assemble', () => {
  it('warns of a labels file that fits no output, and serves the model without it', async () => {
    const warned: string[] = [];
    const log: Logger = { ...SILENT, warn: (_, message) => warned.push(message) };
    copyFileSync(embedding, join(folder, 'model.onnx'));
    writeFileSync(join(folder, 'labels.json'), '["one","two","three"]');
    const served = await loadModel(join(folder, 'model.onnx'), { log, engine: { host: 'inline' } });
    await served.model.close({ graceMs: 0 });
    expect(served.labels).toEqual({});
    expect(warned).toEqual([expect.stringMatching(/labels.json has 3 names, and no output is known/)]);
  });
});
