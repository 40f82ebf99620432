import { describe, expect, it } from 'vitest';
import { type Invocation, wantsSupervisor } from './wants-supervisor.ts';

function wants(args: readonly string[], others: Partial<Invocation> = {}): boolean {
  return wantsSupervisor({ args, env: {}, platform: 'linux', execArgv: [], ...others });
}

describe('wantsSupervisor', () => {
  it('is so for a server, and for no other command', () => {
    expect(wants(['serve', 'model.onnx', '--http-port', '0'])).toBe(true);
    expect(wants(['serve'], { execArgv: ['--max-old-space-size=500'] })).toBe(true);
    for (const args of [['predict', 'model.onnx'], [], ['serve', '--help'], ['serve', '-h']]) {
      expect(wants(args)).toBe(false);
    }
  });

  it.each([
    [['--supervise', 'off'], {}, false],
    [['--supervise=OFF'], {}, false],
    [['--supervise', 'off', '--supervise', 'auto'], {}, true],
    [[], { NIMIFY_SUPERVISE: 'off' }, false],
    [['--supervise', 'auto'], { NIMIFY_SUPERVISE: 'off' }, true],
    [['--processes', '4'], {}, false],
    [['--processes=1'], { NIMIFY_PROCESSES: '4' }, true],
    [[], { NIMIFY_PROCESSES: '4' }, false],
  ] as const)('goes by flags, then by the environment: %j %j', (flags, env, expected) => {
    expect(wants(['serve', ...flags], { env })).toBe(expected);
  });

  it('is not so within a server, under a debugger, and on Windows', () => {
    expect(wants(['serve'], { env: { NIMIFY_SUPERVISED: '{}' } })).toBe(false);
    expect(wants(['serve'], { env: { NIMIFY_PROCESS: '{}' } })).toBe(false);
    expect(wants(['serve'], { execArgv: ['--inspect-brk'] })).toBe(false);
    expect(wants(['serve'], { platform: 'win32' })).toBe(false);
  });
});
