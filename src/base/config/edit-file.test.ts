import { describe, expect, it } from 'vitest';
import { type EntrySettings, editModelEntry } from './edit-file.ts';
import { readFileSettings } from './read-file.ts';

const SETTINGS: EntrySettings = {
  engine: { instances: 2, intraOpThreads: 1 },
  batching: { maxBatchSize: 16, maxDelayMs: 0.5 },
  objective: 'p99 < 50ms',
};

const edit = (text: string, settings = SETTINGS, path = 'a.onnx') =>
  editModelEntry(text, 'nimify.yaml', { path, isSame: (other) => other === path, settings });

async function layerOf(text: string, path = 'a.onnx') {
  const { models } = await readFileSettings(text, 'nimify.yaml', []);
  const layer = models?.find((model) => model.path === path)?.layer ?? new Map();
  return Object.fromEntries([...layer].map(([key, { value }]) => [key, value]));
}

const READ = {
  'engine.instances': 2,
  'engine.intraOpThreads': 1,
  batching: { maxBatchSize: 16, maxDelayMs: 0.5 },
  objective: { percentile: 99, latencyMs: 50 },
};

describe('editModelEntry', () => {
  it.each([
    ['a file that is not there', ''],
    ['comments alone', '# nothing here yet\n'],
    ['no models', 'server:\n  httpPort: 9000 # ours\n'],
    ['nothing after models', 'models:\n'],
    ['an empty list', 'models: []\n'],
    ['other models', 'models:\n  - b.onnx # the other\n  - path: c.onnx\n'],
  ])('adds an entry to %s', async (_what, text) => {
    const edited = await edit(text);
    expect(edited.wasListed).toBe(false);
    expect(await layerOf(edited.text)).toEqual(READ);
    for (const line of text.split('\n').filter((one) => one.trim() !== '' && !one.startsWith('models'))) {
      expect(edited.text).toContain(line.trim());
    }
  });

  it('begins an entry with what is said of the folder around the model', async () => {
    const text = [
      'models:',
      '  - path: models',
      '    timeoutMs: 1s',
      '  - path: models/inner # ours',
      '    timeoutMs: &time 2s',
      '    engine: {instances: 9, providers: [cpu]}',
      '  - path: other',
      '    timeoutMs: *time',
      '',
    ].join('\n');
    const path = 'models/inner/a.onnx';
    const { text: edited, wasListed } = await editModelEntry(text, 'nimify.yaml', {
      ...{ path, isSame: (other) => other === path, settings: SETTINGS },
      isAround: (folder) => path.startsWith(`${folder}/`),
    });
    expect(wasListed).toBe(false);
    expect(edited.startsWith(text.trimEnd())).toBe(true);
    expect(await layerOf(edited, path)).toEqual({ ...READ, timeoutMs: 2000, 'engine.providers': ['cpu'] });
    expect(await layerOf(edited, 'models/inner')).toMatchObject({ 'engine.instances': 9 });
  });

  it('sets what it is told in an entry that is there, and leaves the rest with its comments', async () => {
    const text = [
      '# what we serve',
      'models:',
      '  # the first',
      '  - path: a.onnx # mine',
      '    name: alpha',
      '    engine:',
      '      # two cores are for others',
      '      instances: 9 # too many',
      '      providers: [cpu]',
      '    batching: off',
      '',
      '  - b.onnx',
      'defaults:',
      '  # patience',
      '  timeoutMs: 5s',
      '',
    ].join('\n');
    const edited = await edit(text);
    expect(edited.wasListed).toBe(true);
    expect(edited.text).toBe(
      [
        '# what we serve',
        'models:',
        '  # the first',
        '  - path: a.onnx # mine',
        '    name: alpha',
        '    engine:',
        '      # two cores are for others',
        '      instances: 2 # too many',
        '      providers: [cpu]',
        '      intraOpThreads: 1',
        '    batching:',
        '      maxBatchSize: 16',
        '      maxDelayMs: 0.5',
        '    objective: p99 < 50ms',
        '',
        '  - b.onnx',
        'defaults:',
        '  # patience',
        '  timeoutMs: 5s',
        '',
      ].join('\n'),
    );
    expect(await layerOf(edited.text)).toEqual({ ...READ, 'engine.providers': ['cpu'] });
  });

  it('makes an entry of a path that stood alone, and keeps what is said by it', async () => {
    const edited = await edit('models:\n  # mine\n  - a.onnx # the best\n  - b.onnx\n');
    expect(edited.wasListed).toBe(true);
    expect(await layerOf(edited.text)).toEqual(READ);
    expect(edited.text).toMatch(/# mine[\s\S]*path: a\.onnx[\s\S]*# the best/);
  });

  it('changes what an alias stands for in the place of the model alone', async () => {
    const text = [
      'defaults:',
      '  engine: &few',
      '    host: thread',
      '    instances: 1',
      'models:',
      '  - &b { path: b.onnx, timeoutMs: 7 }',
      '  - path: a.onnx',
      '    engine: *few',
      '',
    ].join('\n');
    const edited = (await edit(text)).text;
    expect(await layerOf(edited)).toEqual({ ...READ, 'engine.host': 'thread' });
    const { defaults } = await readFileSettings(edited, 'nimify.yaml', []);
    expect(defaults.get('engine.instances')?.value).toBe(1);
  });

  it('keeps the line ends of the file', async () => {
    const { text } = await edit('models:\r\n  - b.onnx # other\r\n');
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(await layerOf(text)).toEqual(READ);
  });

  it('changes nothing the second time', async () => {
    const { text } = await edit('models:\n  - a.onnx\n');
    expect(await edit(text)).toEqual({ text, wasListed: true });
  });

  it('replaces limits by a word, and a word by limits', async () => {
    const limits = (await edit('')).text;
    const word = (await edit(limits, { batching: 'auto' })).text;
    expect(await layerOf(word)).toMatchObject({ batching: 'auto' });
    expect(await layerOf((await edit(word)).text)).toEqual(READ);
  });

  it('refuses a file that is none, and touches none that it would break', async () => {
    await expect(edit('models: [')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(edit('modles:\n  - a.onnx\n')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(edit('', { engine: { instances: 0 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('takes names that would mean something else in YAML', async () => {
    for (const path of ['true', '1.0', 'a: b.onnx', '- x', '#y.onnx', 'ä "z".onnx']) {
      const { text } = await edit('', SETTINGS, path);
      expect(await layerOf(text, path)).toEqual(READ);
    }
  });
});
