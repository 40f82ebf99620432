import { Command, Option } from 'commander';
import { EVENT_LEVELS } from '../base/telemetry/events.ts';
import type { EventsFlags } from './events/flags.ts';
import { toNames, toPositive } from './flag-values.ts';
import { runCommand } from './run-command.ts';

export function eventsCommand(): Command {
  return new Command('events')
    .description('list what happened to a running server, and what it has done about it')
    .argument('[url]', 'address of the server', 'http://127.0.0.1:8000')
    .option('--follow', 'go on with what happens from now on')
    .option('--type <types>', 'only these, such as slo-burn, with commas between', toNames)
    .option('--model <name>', 'only those of this model')
    .addOption(
      new Option('--state <states>', `only those that made it this: ${EVENT_LEVELS.join(', ')}`).argParser(
        toNames,
      ),
    )
    .option('--limit <count>', 'the latest so many', toPositive, 50)
    .option('--json', 'print a line of JSON for each')
    .action((url: string, flags: EventsFlags) =>
      runCommand(flags, async () => (await import('./events/run-events.ts')).runEvents(url, flags)),
    );
}
