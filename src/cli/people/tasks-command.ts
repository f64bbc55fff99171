import type { CreateTask, Task, TestCase } from '@voidrunner/client';
import { Command, Option } from 'commander';
import { basename } from 'node:path';

import { Failure } from '../failure.js';
import { print } from '../output.js';
import { idArgument } from './id-argument.js';
import { INPUT_BYTES_MAX, readLocalFile, SCRIPT_BYTES_MAX, utf8Of } from './run/bounded-reading.js';
import { followExecution } from './run/follow-execution.js';
import { Interruption } from './run/interruption.js';
import { runtimeOf } from './run/language.js';
import {
  type InputArguments,
  inputOf,
  type LimitArguments,
  limitsOf,
  withInputOptions,
  withLimitOptions,
} from './run/run-options.js';
import { standardInput } from './run/standard-input.js';
import { type ServerOption, withServer, withServerOption } from './server/connection.js';
import { timeText } from './terminal/figures.js';
import { type ListArguments, pageSize, printList, withListOptions } from './terminal/list.js';
import { STATUSES } from './terminal/statuses.js';
import { paintStatus } from './terminal/style.js';
import { printFields } from './terminal/table.js';

type Status = (typeof STATUSES)[number];

interface CreateArguments extends LimitArguments, ServerOption {
  readonly language?: string;
  readonly name?: string;
  readonly description?: string;
  readonly tests?: string;
  readonly json?: boolean;
}

interface RunArguments extends InputArguments, LimitArguments, ServerOption {
  readonly json?: boolean;
  readonly detach?: boolean;
}

const EXAMPLES = `
Examples:
  voidrunner tasks create report.py --name report
  voidrunner tasks list --limit 5
  voidrunner tasks run 01980000-0000-7000-8000-000000000000 -- --month 7
  voidrunner tasks list --all --json | jq -r .id`;

export function tasksCommand(): Command {
  const tasks = new Command('tasks').addHelpText('after', EXAMPLES);
  const command = (name: string, description: string) => withServerOption(tasks.command(name).description(description));
  withListOptions(command('list', 'list your tasks, newest first'))
    .addOption(new Option('--status <status>', 'of the last execution').choices(STATUSES))
    .action(list);
  command('show', 'show a task')
    .argument('<id>', 'of the task', idArgument)
    .option('--json', 'as a JSON object')
    .action(show);
  withLimitOptions(command('create', 'make a task of a local script, and print its id'))
    .argument('<script>', 'a local file')
    .option('--language <name>', 'by default from the file’s extension, or its #! line')
    .option('--name <name>', 'by default that of the file')
    .option('--description <text>', 'what it is for')
    .option('--tests <file>', 'the test suite: a JSON array of tests, as the API takes it')
    .option('--json', 'print the task as a JSON object')
    .action(create);
  command('delete', 'delete a task; its executions and their events remain')
    .argument('<id>', 'of the task', idArgument)
    .action((id: string, options: ServerOption) =>
      withServer(options, async ({ vr }) => {
        await vr.tasks.delete(id);
      }),
    );
  withLimitOptions(withInputOptions(command('run', 'run a task, as "voidrunner run" does a script')))
    .argument('<id>', 'of the task', idArgument)
    .argument('[args...]', 'arguments of the program; put -- before those that begin with -')
    .option('--json', 'instead of the output, print the execution when it has ended')
    .option('--detach', 'print the id of the execution, and do not wait')
    .action(run);
  return tasks;
}

const list = (options: ListArguments & ServerOption & { readonly status?: Status }): Promise<void> =>
  withServer(options, ({ vr }) =>
    printList(vr.tasks.list({ limit: pageSize(options), ...(options.status && { status: options.status }) }), options, [
      { title: 'ID', value: ({ id }) => id },
      { title: 'NAME', value: ({ name }) => name, flexible: true },
      { title: 'LANGUAGE', value: ({ script_type }) => script_type },
      { title: 'STATUS', value: ({ status }) => status, paint: ({ status }) => paintStatus(status) },
      { title: 'CREATED', value: ({ created_at }) => timeText(created_at) },
    ]),
  );

const show = (id: string, options: ServerOption & { readonly json?: boolean }): Promise<void> =>
  withServer(options, async ({ vr }) => {
    const task = await vr.tasks.get(id);
    if (options.json) print(JSON.stringify(task));
    else printTask(task);
  });

function printTask(task: Task): void {
  const { limits } = task;
  printFields([
    ['id', task.id],
    ['name', task.name],
    ['description', task.description],
    ['language', task.script_type],
    ['status', task.status],
    ['limits', `${task.timeout_seconds} s, ${limits.memory_mb} MiB, ${limits.cpus} CPUs, ${limits.pids} processes`],
    ['tests', task.test_count > 0 ? String(task.test_count) : null],
    ['created', timeText(task.created_at)],
    ['updated', timeText(task.updated_at)],
  ]);
}

async function create(path: string, options: CreateArguments): Promise<void> {
  const text = utf8Of(await readLocalFile(path, SCRIPT_BYTES_MAX), path);
  const tests = options.tests === undefined ? null : await readTests(options.tests);
  await withServer(options, async ({ vr }) => {
    const { name: language } = runtimeOf(await vr.runtimes.list(), { path, text }, options.language);
    const { timeoutSeconds, limits } = limitsOf(options);
    const task = await vr.tasks.create({
      name: options.name ?? basename(path),
      script_type: language as CreateTask['script_type'],
      script_content: text,
      ...(options.description !== undefined && { description: options.description }),
      ...(timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds }),
      ...(limits && { limits }),
      ...(tests && { tests }),
    });
    print(options.json ? JSON.stringify(task) : task.id);
  });
}

/** The server checks each test. */
async function readTests(path: string): Promise<TestCase[]> {
  const text = utf8Of(await readLocalFile(path, INPUT_BYTES_MAX), path);
  try {
    const tests: unknown = JSON.parse(text);
    if (Array.isArray(tests)) return tests as TestCase[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure(`${path} is no JSON array of tests`);
}

const run = (id: string, args: readonly string[], options: RunArguments): Promise<void> =>
  withServer(options, async (server) => {
    const interruption = new Interruption();
    const input = await inputOf(options, args);
    const { test_count } = await server.vr.tasks.get(id);
    // A suite brings its own input.
    const stdin = await standardInput(options.stdin, test_count > 0 || (options.detach === true && !options.stdin));
    const started = await server.vr.tasks.start(id, {
      ...input,
      ...limitsOf(options),
      ...(stdin.first.length > 0 && { stdin: stdin.first }),
      ...(stdin.live && { interactive: true }),
    });
    if (options.detach) print(options.json ? JSON.stringify(started) : started.id);
    else await followExecution(server, started, interruption, { ...options, live: stdin.live });
  });
