import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toModelSources } from './model-argument.ts';

describe('toModelSources', () => {
  it('serves this folder by itself', () => {
    expect(toModelSources([], undefined)).toEqual(['.']);
  });

  it('takes paths, and name=path', () => {
    expect(toModelSources(['a.onnx', 'small=b/c.onnx', './x=y.onnx', '=z.onnx'], undefined)).toEqual([
      'a.onnx',
      { name: 'small', path: 'b/c.onnx' },
      './x=y.onnx',
      '=z.onnx',
    ]);
  });

  it('takes a file that is there for a path, whatever it is called', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nimify-sources-'));
    const before = process.cwd();
    try {
      writeFileSync(join(folder, 'lr=0.1.onnx'), '');
      process.chdir(folder);
      expect(toModelSources(['lr=0.1.onnx'], undefined)).toEqual(['lr=0.1.onnx']);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });

  it('gives --model-name to one path only', () => {
    expect(toModelSources(['a.onnx'], 'm')).toEqual([{ path: 'a.onnx', name: 'm' }]);
    expect(() => toModelSources(['a.onnx', 'b.onnx'], 'm')).toThrow(/2 paths are given/);
  });
});
