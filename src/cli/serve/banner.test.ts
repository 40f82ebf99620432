import { describe, expect, it } from 'vitest';
import { createFakeServed } from '../../protocol/http/fake-registry.ts';
import { renderBanner } from './banner.ts';

const same = (text: string) => text;
const style = { bold: same, dim: same, red: same, yellow: same };
const served = createFakeServed({ name: 'iris' });

function render(answer: string | undefined, metricsUrl: string | undefined): string {
  const call = answer === undefined ? undefined : { command: 'curl x', answer };
  const grpcAddress = metricsUrl === undefined ? undefined : 'h:3';
  return renderBanner({
    version: '1.2.3',
    curl: 'curl -s',
    url: 'http://h:1',
    metricsUrl,
    grpcAddress,
    models: [{ served, call }],
    style,
  });
}

describe('renderBanner', () => {
  it('shows address, call, answer and where to read on', () => {
    expect(render('{"a":1}', 'http://h:2')).toBe(
      [
        '',
        'nimify 1.2.3 serves 1 model at http://h:1',
        '',
        'iris version 1',
        '  curl x',
        '  -> {"a":1}',
        '',
        'docs     http://h:1/docs',
        'grpc     h:3',
        'metrics  http://h:2/metrics',
        'Ctrl-C ends the server: running requests finish first.',
        '',
        '',
      ].join('\n'),
    );
  });

  it('cuts a long answer and says how long it is', () => {
    const text = render('a'.repeat(5000), undefined);
    expect(text).toContain(`${'a'.repeat(100)}... (5000 characters)`);
    expect(text).not.toMatch(/metrics|grpc/);
  });

  it('shows the metadata where there is no first call', () => {
    expect(render(undefined, undefined)).toContain('  curl -s http://h:1/v2/models/iris\n');
  });
});
