import { Argument, Command, InvalidArgumentError } from 'commander';

import { DEAD_LETTERS, ORCHESTRATOR, PROJECTOR, WEBHOOKS } from '../composition/postgres-options.js';
import { ParkedStreams } from '../event-sourcing/subscription/parked-streams.js';
import { decideExecution } from '../tasks/commands/decide-execution.js';
import { DiscardDeadLetter, RedriveExecution } from '../tasks/domain/execution-commands.js';
import type { ExecutionRow } from '../tasks/queries/execution-projection.js';
import { type CliContext, decisionsOf, print, warn, withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { operatorMetadata } from './operator.js';
import { streamArgument, wholeNumberArgument } from './stream-argument.js';

const LIST_LIMIT_DEFAULT = 100;

type Change = typeof RedriveExecution | typeof DiscardDeadLetter;

export function deadLettersCommand(): Command {
  const deadLetters = new Command('dead-letters').description(
    'manage executions without attempts left, and streams that a subscription parked',
  );
  deadLetters
    .command('list')
    .description('list dead-lettered executions and parked streams')
    .option('--limit <count>', 'how many of each at most', wholeNumberArgument, LIST_LIMIT_DEFAULT)
    .action(({ limit }: { limit: number }) => withLog((context) => list(context, limit)));
  deadLetters
    .command('redrive')
    .description('start an execution again, with a new budget of attempts')
    .argument('<execution>', 'execution-<uuid>, or its uuid', executionArgument)
    .action((id: string) => withLog((context) => change(context, RedriveExecution, id, 'redriven')));
  deadLetters
    .command('discard')
    .description('discard a dead letter; the execution and its history remain')
    .argument('<execution>', 'execution-<uuid>, or its uuid', executionArgument)
    .action((id: string) => withLog((context) => change(context, DiscardDeadLetter, id, 'discarded')));
  deadLetters
    .command('unpark')
    .description('resume a parked stream from the event where it was parked')
    .addArgument(
      new Argument('<subscription>', 'that parked the stream').choices([
        PROJECTOR,
        ORCHESTRATOR,
        DEAD_LETTERS,
        WEBHOOKS,
      ]),
    )
    .argument('<stream>', 'task-<uuid>, execution-<uuid>, batch-<uuid> or user-<uuid>', streamArgument)
    .action((subscription: string, stream: { id: string }) =>
      withLog(async ({ pool }) => {
        const found = await new ParkedStreams(pool).requestRedrive(subscription, stream.id);
        if (found) return print('requested: the subscription’s leader resumes the stream within seconds');
        warn('no such parked stream');
        process.exitCode = EXIT_FAULTS;
      }),
    );
  return deadLetters;
}

async function list({ pool }: CliContext, limit: number): Promise<void> {
  const { rows } = await pool.query<ExecutionRow>(
    `select * from read.executions where dead_lettered and not dead_letter_discarded
     order by created_at, id limit $1`,
    [limit],
  );
  for (const { id, task_id, termination_reason, attempt, completed_at } of rows) {
    const at = new Date(completed_at ?? 0).toISOString();
    print(`execution-${id}\ttask-${task_id}\t${termination_reason}\tattempt ${attempt}\t${at}`);
  }
  const parked = await pool.query<
    Record<'subscription' | 'stream_type' | 'stream_id' | 'from_position' | 'error', string>
  >('select * from read.parked order by parked_at limit $1', [limit]);
  for (const { subscription, stream_type, stream_id, from_position, error } of parked.rows) {
    print(`parked\t${subscription}\t${stream_type}-${stream_id}\tfrom position ${from_position}\t${error}`);
  }
}

async function change(context: CliContext, Command_: Change, id: string, done: string): Promise<void> {
  await decideExecution(decisionsOf(context), new Command_(id, 'system', operatorMetadata(id)));
  print(`execution-${id} ${done}`);
}

function executionArgument(text: string): string {
  const stream = streamArgument(text.startsWith('execution-') ? text : `execution-${text}`);
  if (stream.type !== 'execution') throw new InvalidArgumentError('Expected an execution.');
  return stream.id;
}
