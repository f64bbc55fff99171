import type { Command } from 'commander';

/** A command as the help shows it. Each loads only its own modules: all of them take three seconds. */
export interface ListedCommand {
  readonly name: string;
  readonly description: string;
  readonly group: string;
  load(this: void): Promise<Command>;
}

const PEOPLE = 'Commands (they use a server over HTTP):';
const OPERATORS = 'Commands for operators (they use the database of an installation):';

const listed =
  (group: string) =>
  (name: string, description: string, load: () => Promise<Command>): ListedCommand => ({
    name,
    description,
    group,
    load,
  });
const person = listed(PEOPLE);
const operator = listed(OPERATORS);

export const COMMANDS: readonly ListedCommand[] = [
  person('run', 'run a local program on a server, as if it ran here', async () =>
    (await import('./people/run-command.js')).runCommand(),
  ),
  person('tasks', 'list, show, create, delete and run tasks', async () =>
    (await import('./people/tasks-command.js')).tasksCommand(),
  ),
  person('executions', 'list and show executions, their output, events and files; cancel and repeat them', async () =>
    (await import('./people/executions-command.js')).executionsCommand(),
  ),
  person('runtimes', 'list the languages of the server', async () =>
    (await import('./people/runtimes-command.js')).runtimesCommand(),
  ),
  person('login', 'make an API key for this computer, and keep it', async () =>
    (await import('./people/login-command.js')).loginCommand(),
  ),
  person('logout', 'forget the API key of a server', async () =>
    (await import('./people/logout-command.js')).logoutCommand(),
  ),
  person('api-keys', 'list, make and revoke API keys of your account', async () =>
    (await import('./people/api-keys-command.js')).apiKeysCommand(),
  ),
  person('config', 'show and change the configuration of this command line', async () =>
    (await import('./people/config-command.js')).configCommand(),
  ),
  person('mcp', 'serve the Model Context Protocol on standard input and output', async () =>
    (await import('./mcp-command.js')).mcpCommand(),
  ),
  person('completion', 'print the completion script of a shell', async () =>
    (await import('./people/completion-command.js')).completionCommand(),
  ),
  operator('events', 'read the log', async () => (await import('./events-command.js')).eventsCommand()),
  operator(
    'state',
    'print the state of a task, an execution, a batch, a webhook or a delivery, now or at an earlier version or time',
    async () => (await import('./state-command.js')).stateCommand(),
  ),
  operator('verify', 'check that the log is complete and unchanged, and that all derived data matches it', async () =>
    (await import('./verify-command.js')).verifyCommand(),
  ),
  operator('seal', 'show the sealed log: its state, its newest checkpoint, its keys; confirm a restore', async () =>
    (await import('./seal-command.js')).sealCommand(),
  ),
  operator(
    'rebuild',
    'rebuild the read models from the log, while the live ones serve; effects are not repeated',
    async () => (await import('./rebuild-command.js')).rebuildCommand(),
  ),
  operator(
    'dead-letters',
    'manage executions without attempts left, and streams that a subscription parked',
    async () => (await import('./dead-letters-command.js')).deadLettersCommand(),
  ),
  operator('admin', 'manage admins, who may see and change everything', async () =>
    (await import('./admin-command.js')).adminCommand(),
  ),
  operator('users', 'manage accounts', async () => (await import('./users-command.js')).usersCommand()),
  operator('keys', 'manage the master key, which wraps the key of each user’s payloads', async () =>
    (await import('./keys-command.js')).keysCommand(),
  ),
  operator('trace', 'print a trace as a tree, from the file in OTEL_TRACES_FILE', async () =>
    (await import('./trace-command.js')).traceCommand(),
  ),
  operator('doctor', 'check the container engine: whether it can run code, and how safely', async () =>
    (await import('./doctor-command.js')).doctorCommand(),
  ),
  operator('migrate', 'change the database schema, as its owner (DB_OWNER_USER)', async () =>
    (await import('./migrate-command.js')).migrateCommand(),
  ),
  operator(
    'docs',
    'serve the API’s interactive documentation, or print the AsyncAPI document of the events',
    async () => (await import('./docs-command.js')).docsCommand(),
  ),
  operator('settings', 'print every setting with its meaning and default, as a .env file', async () =>
    (await import('./settings-command.js')).settingsCommand(),
  ),
];

export const isForOperators = ({ group }: ListedCommand): boolean => group === OPERATORS;
