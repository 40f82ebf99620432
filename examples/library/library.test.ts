import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectLanguage } from './infer.ts';
import { askOverHttp } from './server.ts';

const demo = join(import.meta.dirname, '../demo');

describe('the library examples', () => {
  it('loads a model and infers in process', async () => {
    expect(await detectLanguage(join(demo, 'langid'), 'Wo wohnst du jetzt?')).toBe('de');
    expect(await detectLanguage(join(demo, 'langid'), 'Где ты сейчас живёшь?')).toBe('ru');
  });

  it('starts a server, asks it and stops it', async () => {
    expect(await askOverHttp(join(demo, 'iris'), [5.1, 3.5, 1.4, 0.2])).toBe(0);
    expect(await askOverHttp(join(demo, 'iris'), [6.9, 3.1, 5.4, 2.1])).toBe(2);
  });
});
