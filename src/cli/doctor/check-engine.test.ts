import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeProvider } from './check-engine.ts';

it('a missing provider is a fault only where it is configured, and comes with its command', () => {
  const cuda = { name: 'cuda', state: 'missing', libraries: [] } as const;
  expect(describeProvider(cuda, false)).toMatchObject({ status: 'ok', says: 'cuda: not installed' });
  expect(describeProvider(cuda, true)).toMatchObject({
    status: 'fail',
    mend: expect.stringMatching(/install it: .*onnxruntime.*cuda12/),
  });
});

it('a provider whose libraries do not load is told of by the library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-provider-'));
  try {
    const library = join(folder, 'libonnxruntime_providers_cuda.so');
    writeFileSync(library, 'no library');
    const cuda = { name: 'cuda', state: 'installed', libraries: [library] } as const;
    expect(describeProvider(cuda, false)).toMatchObject({
      status: 'warn',
      says: expect.stringContaining(library),
    });
    expect(describeProvider(cuda, true)).toMatchObject({ status: 'fail', code: 'UNSUPPORTED' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
