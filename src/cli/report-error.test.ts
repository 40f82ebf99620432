import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { reportError } from './report-error.ts';

let written = '';

beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const ERROR = new NimifyError('MODEL_NOT_FOUND', 'no model\n  a\u001b[2J', {
  details: { where: 'model' },
  cause: 'native',
});

describe('reportError', () => {
  it('prints the message without control characters and gives the exit code of the table', () => {
    expect(reportError(ERROR, { json: false })).toBe(66);
    expect(written).toBe('error: no model\n  a\\u001b[2J\n');
  });

  it('prints one line of JSON for machines', () => {
    reportError(ERROR, { json: true });
    expect(written.endsWith('\n')).toBe(true);
    expect(JSON.parse(written)).toEqual({
      error: ERROR.message,
      code: 'MODEL_NOT_FOUND',
      details: { where: 'model' },
    });
  });

  it('does not show the text of an unexpected fault, unless debugging', () => {
    expect(reportError(new TypeError('x is undefined'), { json: false })).toBe(70);
    expect(written).toMatch(/^error: nimify met a fault of its own; .*NIMIFY_DEBUG=1/);
    expect(written).not.toContain('x is undefined');
    vi.stubEnv('NIMIFY_DEBUG', '1');
    reportError(new TypeError('x is undefined', { cause: ERROR }), { json: false });
    expect(written).toMatch(
      /TypeError: x is undefined\n {4}at [\s\S]*caused by NimifyError: no model[\s\S]*caused by native/,
    );
  });
});
