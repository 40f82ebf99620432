import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toModelPath } from './model-argument.ts';

describe('toModelPath', () => {
  it('takes paths, and name=path', () => {
    expect(['a.onnx', 'small=b/c.onnx', './x=y.onnx', '=z.onnx'].map(toModelPath)).toEqual([
      { path: 'a.onnx' },
      { name: 'small', path: 'b/c.onnx' },
      { path: './x=y.onnx' },
      { path: '=z.onnx' },
    ]);
  });

  it('takes a file that is there for a path, whatever it is called', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nimify-sources-'));
    const before = process.cwd();
    try {
      writeFileSync(join(folder, 'lr=0.1.onnx'), '');
      process.chdir(folder);
      expect(toModelPath('lr=0.1.onnx')).toEqual({ path: 'lr=0.1.onnx' });
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });
});
