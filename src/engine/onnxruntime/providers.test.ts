import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../base/util/clock.ts';
import { checkProviders, installCommand, listProviders } from './providers.ts';
import { openOrtSession } from './session.ts';

const EMBEDDING = fileURLToPath(new URL('../../../test/fixtures/embedding.onnx', import.meta.url));

describe('execution providers', () => {
  it('always hold the CPU', async () => {
    expect(await listProviders()).toContainEqual({ name: 'cpu', state: 'bundled', libraries: [] });
    await expect(checkProviders(undefined)).resolves.toBeUndefined();
    await expect(checkProviders(['cpu', { name: 'cpu' }])).resolves.toBeUndefined();
  });

  it('are refused where there is none of that name', async () => {
    await expect(checkProviders(['cpu', { name: 'cpux' }])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(
        /no execution provider 'cpux' for \w+ on \w+; it has cpu.*; did you mean 'cpu'\?$/,
      ),
    });
  });

  it('are refused where their libraries are missing, with the command that installs them', async () => {
    const missing = (await listProviders()).filter(({ state }) => state === 'missing');
    for (const { name } of missing) {
      await expect(checkProviders([name])).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining(installCommand()),
      });
    }
    expect(installCommand()).toMatch(/script\/install\.js'? --onnxruntime-node-install=cuda12$/);
  });

  it('come from a copy where the package was bundled without its install script', () => {
    const command = installCommand({ folder: '/app/my models/onnxruntime-node', version: '1.30.0' });
    expect(command).toMatch(
      /^ONNXRUNTIME_NODE_INSTALL=cuda12 npm install .* onnxruntime-node@1\.30\.0 && cp /,
    );
    expect(command).toMatch(/ '\/app\/my models\/onnxruntime-node\/bin\/napi-v6\/\w+\/\w+\/'$/);
  });

  it('are passed on with their options', async () => {
    const source = { path: EMBEDDING, intraOpThreads: 1 };
    const session = await openOrtSession(
      { ...source, providers: [{ name: 'cpu', useArena: true }] },
      systemClock,
    );
    await session.close();
    await expect(openOrtSession({ ...source, providers: ['none-such'] }, systemClock)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    });
  });
});
