import { Command, CommanderError } from 'commander';
import { ZodError } from 'zod';

import { VERSION } from '../composition/version.js';
import { InvalidConfig } from '../config/load-config.js';
import { DomainError, Unavailable } from '../kernel/errors.js';
import { isOutage } from '../platform/postgres/outage.js';
import { InvalidRuntimes } from '../runtimes/load-runtimes.js';
import { warn } from './cli-context.js';
import { EXIT_CODES_HELP, EXIT_UNABLE, EXIT_USAGE } from './exit-codes.js';

/** Each command loads only its own modules: loading all of them takes two seconds, and most need few. */
const COMMANDS = new Map<string, () => Promise<Command>>([
  ['events', async () => (await import('./events-command.js')).eventsCommand()],
  ['state', async () => (await import('./state-command.js')).stateCommand()],
  ['verify', async () => (await import('./verify-command.js')).verifyCommand()],
  ['rebuild', async () => (await import('./rebuild-command.js')).rebuildCommand()],
  ['dead-letters', async () => (await import('./dead-letters-command.js')).deadLettersCommand()],
  ['admin', async () => (await import('./admin-command.js')).adminCommand()],
  ['users', async () => (await import('./users-command.js')).usersCommand()],
  ['keys', async () => (await import('./keys-command.js')).keysCommand()],
  ['trace', async () => (await import('./trace-command.js')).traceCommand()],
  ['doctor', async () => (await import('./doctor-command.js')).doctorCommand()],
  ['migrate', async () => (await import('./migrate-command.js')).migrateCommand()],
  ['mcp', async () => (await import('./mcp-command.js')).mcpCommand()],
  ['docs', async () => (await import('./docs-command.js')).docsCommand()],
  ['settings', async () => (await import('./settings-command.js')).settingsCommand()],
]);

/** The requested command; all commands if there is none of that name, for the help and for "Did you mean". */
function requestedCommands(args: readonly string[]): readonly (() => Promise<Command>)[] {
  const load = COMMANDS.get(args.find((arg) => !arg.startsWith('-')) ?? '');
  return load ? [load] : [...COMMANDS.values()];
}

// A reader that stops early (`| head`) closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Node's own exit code, 1, would mean that faults were found.
process.on('uncaughtException', (error) => {
  warn(String(error.stack));
  process.exit(EXIT_UNABLE);
});

/** Subcommands do not inherit exitOverride from the program they are added to. */
function throwUsageErrors(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwUsageErrors(sub);
}

/** Commander has already printed the error, or the requested help. */
function exitCodeOf({ exitCode }: CommanderError): number {
  return exitCode === 0 ? 0 : EXIT_USAGE;
}

function messageOf(error: unknown): string {
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`;
  }
  return (error as Error).message;
}

try {
  const program = new Command('voidrunner')
    .description('Inspect, check, repair and operate a VoidRunner installation')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES_HELP);
  for (const load of requestedCommands(process.argv.slice(2))) program.addCommand(await load());
  throwUsageErrors(program);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = exitCodeOf(error);
  } else {
    const expected =
      isOutage(error) ||
      [InvalidConfig, InvalidRuntimes, Unavailable, DomainError, ZodError].some((type) => error instanceof type);
    warn(expected ? `voidrunner: ${messageOf(error)}` : String((error as Error).stack));
    process.exitCode = EXIT_UNABLE;
  }
}
