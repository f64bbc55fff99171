import { Command, CommanderError } from 'commander';

import { ZodError } from 'zod';

import { VERSION } from '../composition/version.js';
import { InvalidConfig } from '../config/load-config.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import { adminCommand } from './admin-command.js';
import { warn } from './cli-context.js';
import { deadLettersCommand } from './dead-letters-command.js';
import { doctorCommand } from './doctor-command.js';
import { docsCommand } from './docs-command.js';
import { eventsCommand } from './events-command.js';
import { EXIT_UNABLE } from './exit-codes.js';
import { migrateCommand } from './migrate-command.js';
import { rebuildCommand } from './rebuild-command.js';
import { settingsCommand } from './settings-command.js';
import { stateCommand } from './state-command.js';
import { traceCommand } from './trace-command.js';
import { verifyCommand } from './verify-command.js';

const program = new Command('voidrunner')
  .description('Look at, check, repair and operate a VoidRunner installation')
  .version(VERSION)
  .addCommand(eventsCommand())
  .addCommand(stateCommand())
  .addCommand(verifyCommand())
  .addCommand(rebuildCommand())
  .addCommand(deadLettersCommand())
  .addCommand(adminCommand())
  .addCommand(traceCommand())
  .addCommand(doctorCommand())
  .addCommand(migrateCommand())
  .addCommand(docsCommand())
  .addCommand(settingsCommand());

// A reader that has seen enough (`| head`) closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const expected =
    isOutage(error) ||
    [InvalidConfig, Unavailable, DomainError, CommanderError, ZodError].some((type) => error instanceof type);
  warn(expected ? `voidrunner: ${(error as Error).message}` : String((error as Error).stack));
  process.exitCode = EXIT_UNABLE;
}
