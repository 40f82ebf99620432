import { Command, CommanderError } from 'commander';
import { VERSION } from '../base/util/version.ts';
import { alertsCommand } from './alerts.ts';
import { clientCommand } from './client.ts';
import { configCommand } from './config.ts';
import { doctorCommand } from './doctor.ts';
import { eventsCommand } from './events.ts';
import { initCommand } from './init.ts';
import { inspectCommand } from './inspect.ts';
import { openapiCommand } from './openapi.ts';
import { predictCommand } from './predict.ts';
import { reportError } from './report-error.ts';
import { serveCommand } from './serve.ts';
import { tuneCommand } from './tune.ts';

/** sysexits.h: the command was used wrongly. */
const USAGE_EXIT_CODE = 64;

// `nimify inspect model.onnx | head`: whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const program = new Command('nimify')
  .description('One command turns a model file into a production inference service.')
  .version(VERSION, '-v, --version', 'print the version')
  .helpOption('-h, --help', 'print what a command takes')
  .helpCommand('help [command]', 'print what a command takes')
  .exitOverride()
  .showHelpAfterError('(--help lists what it takes)');

const COMMANDS = new Map([
  ['serve', serveCommand],
  ['inspect', inspectCommand],
  ['predict', predictCommand],
  ['openapi', openapiCommand],
  ['client', clientCommand],
  ['init', initCommand],
  ['config', configCommand],
  ['tune', tuneCommand],
  ['doctor', doctorCommand],
  ['events', eventsCommand],
  ['alerts', alertsCommand],
]);
// Setting up flags takes time: those of the other commands are needed only where help or a hint lists them.
const asked = COMMANDS.get(process.argv[2] ?? '');
for (const makeCommand of asked === undefined ? COMMANDS.values() : [asked]) {
  program.addCommand(makeCommand().copyInheritedSettings(program));
}

async function run(): Promise<void> {
  try {
    if (process.argv.length <= 2) program.outputHelp();
    else await program.parseAsync();
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) process.exitCode = reportError(thrown, { json: false });
    // Commander has printed the help, the version, or what is wrong.
    else process.exitCode = thrown.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  }
}

void run();
