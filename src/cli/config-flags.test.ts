import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { leavesOf } from '../base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS, START_OPTIONS } from '../base/config/options.ts';
import { addConfigFlags, readFlags } from './config-flags.ts';

const LEAVES = [START_OPTIONS, SERVER_OPTIONS, MODEL_OPTIONS].flatMap((tree) => leavesOf(tree));

function parse(...args: readonly string[]): Command {
  const quiet = { writeErr() {} };
  const command = addConfigFlags(new Command().exitOverride().configureOutput(quiet));
  return command.parse(args, { from: 'user' });
}

describe('the flags of the settings', () => {
  it('are all there, each once', () => {
    const flags = LEAVES.flatMap(({ option }) => option.flag ?? []);
    expect(new Set(flags).size).toBe(flags.length);
    expect(
      parse()
        .options.map(({ long }) => long)
        .sort(),
    ).toEqual([...flags].sort());
  });

  it('give values by the paths of the settings, and only where they are given', () => {
    expect(readFlags(parse()).size).toBe(0);
    const layer = readFlags(
      parse('--http-port', '9', '--no-auth', '--grace-ms', '2s', '--engine-host', 'INLINE'),
    );
    expect([...layer].map(([path, { value }]) => [path, value])).toEqual([
      ['server.auth', 'none'],
      ['server.httpPort', 9],
      ['server.graceMs', 2000],
      ['engine.host', 'inline'],
    ]);
    expect(layer.get('server.auth')?.origin).toEqual({ from: 'flag', name: '--no-auth' });
  });

  it('refuse what is none of their kind', () => {
    expect(() => parse('--threads', '0')).toThrow(/expected a whole number of at least 1/);
  });

  it('say in one line what they take and what holds without them', () => {
    const help = parse().createHelp();
    const text = (flag: string) => help.optionDescription(parse().options.find(({ long }) => long === flag)!);
    expect(text('--log-level')).toBe(
      'lowest level that is written (debug, info, warn, error, silent; default: info)',
    );
    expect(text('--threads')).toBe('threads within one run (default: what the instances leave of the cores)');
  });
});
