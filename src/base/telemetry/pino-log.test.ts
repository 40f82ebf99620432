import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import { createPinoLogger, type PinoLogOptions } from './pino-log.ts';

function setUp(options: PinoLogOptions = {}) {
  const lines: string[] = [];
  const log = createPinoLogger({
    pretty: false,
    ...options,
    sink: { write: (line) => void lines.push(line) },
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const FAILURE = new NimifyError('ENGINE_FAILED', 'the run failed', {
  details: { where: 'inputs[0]' },
  cause: new Error('native trouble', { cause: new TypeError('deep trouble') }),
});

describe('createPinoLogger', () => {
  it('writes one JSON object a line', () => {
    const { log, lines, parsed } = setUp();
    log.info({ model: 'iris', rows: 3n }, 'loaded');
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(parsed()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), model: 'iris', rows: '3', msg: 'loaded' },
    ]);
  });

  it('writes nothing below its level', () => {
    const { log, parsed } = setUp({ level: 'warn' });
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(parsed().map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'c'],
      ['error', 'd'],
    ]);
  });

  it('writes an error with its code, details and every cause', () => {
    const { log, parsed } = setUp();
    log.error({ err: FAILURE }, 'oh');
    expect(parsed()[0]?.err).toMatchObject({
      type: 'NimifyError',
      code: 'ENGINE_FAILED',
      message: 'the run failed',
      details: { where: 'inputs[0]' },
      stack: expect.stringContaining('pino-log.test'),
      cause: { message: 'native trouble', cause: { type: 'TypeError', message: 'deep trouble' } },
    });
  });

  it('leaves secrets out, by name and by form', () => {
    const { log, lines } = setUp();
    const err = new Error('cannot reach postgres://bob:hunter2@db/x');
    log.warn(
      {
        headers: { authorization: 'Bearer abcdefgh12345', 'x-api-key': 'k-999', cookie: 'sid=777' },
        password: 'hunter2',
        accessToken: 'tok-555',
        note: 'sent Bearer abcdefgh12345 along',
        err,
      },
      'x',
    );
    for (const secret of ['hunter2', 'abcdefgh12345', 'k-999', '777', 'tok-555']) {
      expect(lines[0]).not.toContain(secret);
    }
    expect(lines[0]).toContain('postgres://[redacted]@db/x');
  });

  it('survives cycles, and tells of typed arrays instead of printing them', () => {
    const { log, parsed } = setUp();
    const loop: Record<string, unknown> = { data: new Float32Array(1000) };
    loop.self = loop;
    log.info({ loop }, 'x');
    expect(parsed()[0]).toMatchObject({ loop: { data: '[Float32Array, 4000 bytes]' } });
  });

  it('is readable when pretty', () => {
    const { log, lines } = setUp({ pretty: true });
    log.info({ model: 'iris', reason: 'two words' }, 'loaded');
    log.error({ err: FAILURE }, 'failed');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are what is taken off
    const plain = lines.map((line) => line.replace(/\x1b\[\d+m/g, ''));
    expect(plain[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}loaded model=iris reason="two words"\n$/);
    expect(plain[1]).toMatch(
      /error failed\n {2}NimifyError ENGINE_FAILED: the run failed\n {4}\{"where":"inputs\[0\]"\}\n/,
    );
    expect(plain[1]).toMatch(
      /caused by\n {4}Error: native trouble\n[\s\S]*caused by\n {6}TypeError: deep trouble\n/,
    );
  });
});
