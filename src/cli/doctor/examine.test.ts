import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Given } from '../../base/config/layer.ts';
import { examine } from './examine.ts';
import { fail, ok, warn } from './finding.ts';
import { renderFindings } from './render-findings.ts';

const PLAIN = createColors(false);

function flags(values: Readonly<Record<string, unknown>>): ReadonlyMap<string, Given> {
  const origin = { from: 'flag', name: '--some' } as const;
  return new Map(Object.entries(values).map(([path, value]) => [path, { value, origin }]));
}

const FREE = { 'server.httpPort': 0, 'server.metricsPort': 0, 'server.grpcPort': 0 };

describe('examine', () => {
  it('finds nothing that fails where the settings are sound', async () => {
    const findings = await examine(flags(FREE));
    expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(findings.map(({ about }) => about)).toContain('engine');
  });

  it('finds settings that no server would start with', async () => {
    const providers = ['cpu', 'none-such'];
    const findings = await examine(
      flags({ ...FREE, 'server.host': '0.0.0.0', 'engine.providers': providers }),
    );
    expect(findings.filter(({ status }) => status === 'fail')).toMatchObject([
      { about: 'config', code: 'CONFIG_INVALID' },
      { about: 'provider', says: expect.stringContaining('none-such') },
    ]);
  });

  it('goes on where the configuration cannot be read', async () => {
    const findings = await examine(flags({ config: 'no-such-file.yaml' }));
    expect(findings.filter(({ status }) => status === 'fail')).toMatchObject([{ about: 'config' }]);
    expect(findings.map(({ about }) => about)).not.toContain('ports');
  });
});

describe('renderFindings', () => {
  it('gives a line for each, what to do below it, and the sum', () => {
    const fine = ok('node', 'is new');
    expect(renderFindings([fine], PLAIN)).toBe('ok    node      is new\n\nnimify can serve here\n');
    expect(renderFindings([fine, warn('disk', 'is full', 'free some')], PLAIN)).toBe(
      'ok    node      is new\nwarn  disk      is full\n                -> free some\n\n' +
        'nimify can serve here; 1 of 2 could be better\n',
    );
    expect(renderFindings([fine, fail('x', 'INTERNAL', 'y', 'z')], PLAIN)).toMatch(/\n\n1 of 2 fails\n$/);
  });
});
