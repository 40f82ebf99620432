import { describe, expect, it } from 'vitest';
import { leavesOf } from '../../base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from '../../base/config/options.ts';
import type { Problem } from '../../base/config/problem.ts';
import { readFileSettings } from '../../base/config/read-file.ts';
import type { FoundModel } from '../../registry/repository.ts';
import { renderConfigFile } from './render-config-file.ts';

const found = (path: string, name: string, version = '1'): FoundModel => ({
  name,
  version,
  path,
  alone: true,
});

const FOUND = {
  models: [
    found('/m/a.onnx', 'a'),
    found('/m/d/2/model.onnx', 'd', '2'),
    found('/m/o: "x".onnx', '1\u2028'),
    found('/n.onnx', 'on'),
  ],
  skipped: [{ path: '/m/a.ort', reason: 'a.onnx beside it is served under the same name' }],
};

async function read(text: string) {
  const problems: Problem[] = [];
  const settings = await readFileSettings(text, 'nimify.yaml', problems);
  expect(problems).toEqual([]);
  return settings;
}

describe('renderConfigFile', () => {
  it('lists the models with paths from the folder, whatever characters they hold', async () => {
    const { models } = await read(renderConfigFile(FOUND, '/m'));
    expect(models?.map(({ path, name }) => [path, name])).toEqual([
      ['a.onnx', 'a'],
      ['d/2/model.onnx', 'd'],
      ['o: "x".onnx', '1\u2028'],
      ['/n.onnx', 'on'],
    ]);
  });

  it('sets nothing else, until its lines are uncommented: then every option, to its default', async () => {
    const text = renderConfigFile(FOUND, '/m');
    expect([...(await read(text)).server.keys()]).toEqual([]);
    const { server, defaults } = await read(text.replace(/^( +)# (?=[a-z]\w*: )/gm, '$1'));
    for (const [tree, layer] of [
      [SERVER_OPTIONS, server],
      [MODEL_OPTIONS, defaults],
    ] as const) {
      const leaves = leavesOf(tree);
      expect([...layer.keys()]).toEqual(leaves.map(({ path }) => path));
      for (const { path, option } of leaves) {
        if (option.default !== undefined)
          expect([path, layer.get(path)?.value]).toEqual([path, option.default]);
      }
    }
  });

  it('says what it passed over', () => {
    expect(renderConfigFile(FOUND, '/m')).toContain(
      '  # passed over: a.ort (a.onnx beside it is served under the same name)\n',
    );
  });
});
