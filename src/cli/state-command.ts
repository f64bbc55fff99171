import { Command, InvalidArgumentError } from 'commander';

import { executionDecider } from '../execution/domain/execution-decider.js';
import { type Decider, fold } from '../kernel/decider.js';
import { type DomainEvent, streamName, type StreamRef, type StreamType } from '../kernel/event.js';
import { taskDecider } from '../task/domain/task-decider.js';
import { type CliContext, print, warn, withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { streamArgument, wholeNumberArgument } from './stream-argument.js';

interface AsOf {
  readonly atVersion?: number;
  readonly atTime?: Date;
}

const DECIDERS: Partial<Record<StreamType, Decider<never, unknown, DomainEvent>>> = {
  task: taskDecider as unknown as Decider<never, unknown, DomainEvent>,
  execution: executionDecider as unknown as Decider<never, unknown, DomainEvent>,
};

export const stateCommand = (): Command =>
  new Command('state')
    .description('what a task or an execution was, now or at an earlier version or time')
    .argument('<stream>', 'task-<uuid> or execution-<uuid>', streamArgument)
    .option('--at-version <version>', 'after this event of the stream', wholeNumberArgument)
    .option('--at-time <time>', 'at this time, RFC 3339', timeArgument)
    .action((stream: StreamRef, asOf: AsOf) => withLog((context) => state(context, stream, asOf)));

async function state({ store }: CliContext, stream: StreamRef, { atVersion, atTime }: AsOf): Promise<void> {
  const decider = DECIDERS[stream.type];
  const recorded = await store.readStream(stream, atVersion === undefined ? {} : { limit: atVersion });
  const events = recorded.filter(({ recordedAt }) => atTime === undefined || recordedAt <= atTime);
  const last = events.at(-1);
  if (!decider || !last) {
    warn(decider ? `${streamName(stream)}: nothing recorded by then` : `${stream.type} streams have no state`);
    process.exitCode = EXIT_FAULTS;
    return;
  }
  const folded = fold(decider, decider.initialState, events as readonly DomainEvent[]);
  const { version, recordedAt } = last;
  print(JSON.stringify({ stream: streamName(stream), version, recorded_at: recordedAt, state: folded }, null, 2));
}

function timeArgument(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('A time is expected, such as 2026-01-31T12:00:00Z.');
  }
  return time;
}
