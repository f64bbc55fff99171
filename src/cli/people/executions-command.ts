import { type Execution, hasEnded } from '@voidrunner/client';
import { Command, Option } from 'commander';

import { Failure } from '../failure.js';
import { print } from '../output.js';
import { idArgument } from './id-argument.js';
import { downloadFiles } from './run/download-files.js';
import { followExecution, showOutput } from './run/follow-execution.js';
import { Interruption } from './run/interruption.js';
import { type ServerOption, withServer, withServerOption } from './server/connection.js';
import { bytesText, durationText, timeText } from './terminal/figures.js';
import { type ListArguments, pageSize, printList, withListOptions } from './terminal/list.js';
import { STATUSES } from './terminal/statuses.js';
import { paintStatus } from './terminal/style.js';
import { printFields } from './terminal/table.js';

type Status = (typeof STATUSES)[number];
type JsonOption = ServerOption & { readonly json?: boolean };

const EXAMPLES = `
Examples:
  voidrunner executions list --status failed --limit 5
  voidrunner executions logs 01980000-0000-7000-8000-000000000000 --follow
  voidrunner executions files 01980000-0000-7000-8000-000000000000 --out results
  voidrunner executions list --all --json | jq -r 'select(.return_code == 1).id'`;

export function executionsCommand(): Command {
  const executions = new Command('executions').addHelpText('after', EXAMPLES);
  const command = (name: string, description: string) =>
    withServerOption(executions.command(name).description(description));
  const withId = (name: string, description: string) =>
    command(name, description).argument('<id>', 'of the execution', idArgument);
  withListOptions(command('list', 'list your executions, newest first'))
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
    .action(list);
  withId('show', 'show an execution').option('--json', 'as a JSON object').action(show);
  withId('cancel', 'cancel an execution').action((id: string, options: ServerOption) =>
    withServer(options, async ({ vr }) => {
      await vr.executions.cancel(id);
    }),
  );
  withId('logs', 'print the output: standard output and standard error as they were')
    .option('--follow', 'go on until the execution has ended')
    .action(logs);
  withId('events', 'print the history').option('--json', 'one JSON object per line').action(events);
  withId('rerun', 'run it again, with the same script and input')
    .option('--json', 'instead of the output, print the execution when it has ended')
    .option('--detach', 'print the id of the new execution, and do not wait')
    .option('--out <dir>', 'write the kept files below this folder')
    .action(rerun);
  withId('files', 'list the files that the run kept, or write them')
    .option('--out <dir>', 'write them below this folder')
    .option('--json', 'one JSON object per line')
    .action(files);
  return executions;
}

const list = (options: ListArguments & ServerOption & { readonly status?: Status }): Promise<void> =>
  withServer(options, ({ vr }) =>
    printList(
      vr.executions.list({ limit: pageSize(options), ...(options.status && { status: options.status }) }),
      options,
      [
        { title: 'ID', value: ({ id }) => id },
        { title: 'STATUS', value: ({ status }) => status, paint: ({ status }) => paintStatus(status) },
        { title: 'CODE', value: ({ return_code }) => String(return_code ?? '-'), right: true },
        { title: 'REASON', value: ({ termination_reason }) => termination_reason ?? '-', flexible: true },
        { title: 'TIME', value: ({ execution_time_ms }) => durationText(execution_time_ms), right: true },
        { title: 'CREATED', value: ({ created_at }) => timeText(created_at) },
      ],
    ),
  );

const show = (id: string, options: JsonOption): Promise<void> =>
  withServer(options, async ({ vr }) => {
    const execution = await vr.executions.get(id);
    if (options.json) print(JSON.stringify(execution));
    else printExecution(execution);
  });

function printExecution(execution: Execution): void {
  const { memory_usage_bytes: memory, test_count, verdict } = execution;
  printFields([
    ['id', execution.id],
    ['task', execution.task_id],
    ['status', execution.status],
    ['reason', execution.termination_reason],
    ['exit code', execution.return_code === null ? null : String(execution.return_code)],
    ['signal', execution.signal],
    ['verdict', test_count > 0 ? `${verdict ?? '-'} (${test_count} tests, ${execution.points ?? 0} points)` : null],
    ['attempt', String(execution.attempt)],
    ['created', timeText(execution.created_at)],
    ['started', execution.started_at === null ? null : timeText(execution.started_at)],
    ['time', durationText(execution.execution_time_ms)],
    ['memory', memory === null ? null : bytesText(memory)],
    ['output', `${bytesText(execution.stdout_bytes)}, errors ${bytesText(execution.stderr_bytes)}`],
    ['files', execution.files.map(({ path }) => path).join(', ')],
    ['trace', execution.trace_id],
  ]);
}

const logs = (id: string, options: ServerOption & { readonly follow?: boolean }): Promise<void> =>
  withServer(options, async (server) => {
    const { vr } = server;
    if (!options.follow && !hasEnded(await vr.executions.get(id))) {
      throw new Failure('the execution has not ended: use --follow');
    }
    await showOutput(server, id);
  });

const events = (id: string, options: JsonOption): Promise<void> =>
  withServer(options, ({ vr }) =>
    printList(vr.executions.events(id), options, [
      { title: 'VERSION', value: ({ version }) => String(version), right: true },
      { title: 'TIME', value: ({ time }) => timeText(time) },
      { title: 'EVENT', value: ({ type }) => type },
      { title: 'ACTOR', value: ({ actor }) => actor, flexible: true },
    ]),
  );

const rerun = (id: string, options: JsonOption & { readonly detach?: boolean; readonly out?: string }): Promise<void> =>
  withServer(options, async (server) => {
    const interruption = new Interruption();
    const started = await server.vr.executions.rerun(id);
    if (options.detach) print(options.json ? JSON.stringify(started) : started.id);
    else await followExecution(server, started, interruption, options);
  });

const files = (id: string, options: JsonOption & { readonly out?: string }): Promise<void> =>
  withServer(options, async (server) => {
    const execution = await server.vr.executions.get(id);
    if (options.out !== undefined) return downloadFiles(server, execution, options.out);
    await printList(execution.files, options, [
      { title: 'BYTES', value: ({ bytes }) => String(bytes), right: true },
      { title: 'TYPE', value: ({ media_type }) => media_type },
      { title: 'PATH', value: ({ path }) => path, flexible: true },
    ]);
  });
