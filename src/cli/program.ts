import { Command, CommanderError } from 'commander';

import { VERSION } from '../composition/version.js';
import { COMMANDS, isForOperators, type ListedCommand } from './command-list.js';
import { EXIT_CODES_HELP, EXIT_NOT_RUN, EXIT_UNABLE, EXIT_USAGE } from './exit-codes.js';
import { Failure } from './failure.js';
import { warn } from './output.js';

const EPIPE_EXIT = 0;
/** Not listed. */
const COMPLETE = '__complete';
/** Of these, the program's exit code is that of the program that it runs: 64 would be ambiguous. */
const RUNNING_COMMANDS: readonly string[] = ['run'];
const RUNNING_SUBCOMMANDS: readonly string[] = ['tasks run', 'executions rerun'];

/** Parses the arguments, runs the command, and sets the exit code. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  // A reader that stops early (`| head`) closes the pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EPIPE_EXIT);
    throw error;
  });
  // Node's own exit code, 1, would mean that faults were found.
  process.on('uncaughtException', (error) => {
    warn(String(error.stack));
    process.exit(EXIT_UNABLE);
  });
  const args = argv.slice(2);
  const requested = requestedCommand(args);
  try {
    if (args[0] === COMPLETE) return await complete(args.slice(args[1] === '--' ? 2 : 1));
    const program = await createProgram(requested);
    throwUsageErrors(program);
    await program.parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = await report(error, requested, args);
  }
}

/** Called by completion scripts. @param words behind `voidrunner`, up to the cursor */
async function complete(words: readonly string[]): Promise<void> {
  const { printCandidates } = await import('./people/completion-candidates.js');
  await printCandidates(await createProgram(requestedCommand(words.slice(0, -1))), words);
}

/** All commands by name and description; the requested one with its options. */
export async function createProgram(requested: ListedCommand | undefined): Promise<Command> {
  const program = new Command('voidrunner')
    .description('Run programs on a VoidRunner server, and operate an installation')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES_HELP);
  // After its own commands and options: `run script.py -- --version` is for the program.
  program.enablePositionalOptions();
  for (const listed of COMMANDS) {
    const command = listed === requested ? await listed.load() : new Command(listed.name);
    program.addCommand(command.description(listed.description).helpGroup(listed.group));
  }
  return program;
}

function requestedCommand(args: readonly string[]): ListedCommand | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const name = first === 'help' ? second : first;
  return COMMANDS.find((command) => command.name === name);
}

/** Subcommands do not inherit exitOverride from the program they are added to. */
function throwUsageErrors(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) throwUsageErrors(sub);
}

async function report(error: unknown, requested: ListedCommand | undefined, args: readonly string[]): Promise<number> {
  // Commander has already printed the error, or the requested help.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    return runsProgram(args) ? EXIT_NOT_RUN : EXIT_USAGE;
  }
  if (error instanceof Failure) {
    warn(`voidrunner: ${error.message}`);
    return error.exitCode === EXIT_UNABLE && runsProgram(args) ? EXIT_NOT_RUN : error.exitCode;
  }
  const message =
    requested && isForOperators(requested) ? (await import('./operator-errors.js')).operatorMessage(error) : null;
  warn(message === null ? String((error as Error).stack) : `voidrunner: ${message}`);
  return runsProgram(args) ? EXIT_NOT_RUN : EXIT_UNABLE;
}

function runsProgram(args: readonly string[]): boolean {
  const [first = '', second = ''] = args.filter((arg) => !arg.startsWith('-'));
  return RUNNING_COMMANDS.includes(first) || RUNNING_SUBCOMMANDS.includes(`${first} ${second}`);
}
