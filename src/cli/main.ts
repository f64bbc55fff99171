import { Command, CommanderError } from 'commander';

import { ZodError } from 'zod';

import { VERSION } from '../composition/version.js';
import { InvalidConfig } from '../config/load-config.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import { warn } from './cli-context.js';
import { EXIT_UNABLE } from './exit-codes.js';

/** Each with its own modules: to load all of them takes two seconds, and most need few. */
const COMMANDS = new Map<string, () => Promise<Command>>([
  ['events', async () => (await import('./events-command.js')).eventsCommand()],
  ['state', async () => (await import('./state-command.js')).stateCommand()],
  ['verify', async () => (await import('./verify-command.js')).verifyCommand()],
  ['rebuild', async () => (await import('./rebuild-command.js')).rebuildCommand()],
  ['dead-letters', async () => (await import('./dead-letters-command.js')).deadLettersCommand()],
  ['admin', async () => (await import('./admin-command.js')).adminCommand()],
  ['trace', async () => (await import('./trace-command.js')).traceCommand()],
  ['doctor', async () => (await import('./doctor-command.js')).doctorCommand()],
  ['migrate', async () => (await import('./migrate-command.js')).migrateCommand()],
  ['docs', async () => (await import('./docs-command.js')).docsCommand()],
  ['settings', async () => (await import('./settings-command.js')).settingsCommand()],
]);

/** The one asked for; all of them where it is none, so that help and a slip of the pen meet the whole. */
function askedFor(args: readonly string[]): readonly (() => Promise<Command>)[] {
  const load = COMMANDS.get(args.find((arg) => !arg.startsWith('-')) ?? '');
  return load ? [load] : [...COMMANDS.values()];
}

// A reader that has seen enough (`| head`) closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const program = new Command('voidrunner')
    .description('Look at, check, repair and operate a VoidRunner installation')
    .version(VERSION);
  for (const load of askedFor(process.argv.slice(2))) program.addCommand(await load());
  await program.parseAsync();
} catch (error) {
  const expected =
    isOutage(error) ||
    [InvalidConfig, Unavailable, DomainError, CommanderError, ZodError].some((type) => error instanceof type);
  warn(expected ? `voidrunner: ${(error as Error).message}` : String((error as Error).stack));
  process.exitCode = EXIT_UNABLE;
}
