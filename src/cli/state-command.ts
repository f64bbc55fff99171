import { Command, InvalidArgumentError } from 'commander';

import { type Decider, fold } from '../event-sourcing/core/decider.js';
import { type DomainEvent, streamName, type StreamRef, type StreamType } from '../event-sourcing/core/event.js';
import { batchDecider } from '../tasks/domain/batch-decider.js';
import { executionDecider } from '../tasks/domain/execution-decider.js';
import { taskDecider } from '../tasks/domain/task-decider.js';
import { deliveryDecider } from '../webhooks/domain/delivery-decider.js';
import { webhookDecider } from '../webhooks/domain/webhook-decider.js';
import { type CliContext, withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { print, warn } from './output.js';
import { streamArgument } from './stream-argument.js';
import { wholeNumberBetween } from './whole-number.js';

/** The largest integer of Postgres. */
const VERSION_MAX = 2 ** 31 - 1;

interface AsOf {
  readonly atVersion?: number;
  readonly atTime?: Date;
}

type StatefulType = Exclude<StreamType, 'user'>;
type StatefulRef = StreamRef & { readonly type: StatefulType };

const DECIDERS: Record<StatefulType, Decider<never, unknown, DomainEvent>> = {
  task: taskDecider as unknown as Decider<never, unknown, DomainEvent>,
  execution: executionDecider as unknown as Decider<never, unknown, DomainEvent>,
  batch: batchDecider as unknown as Decider<never, unknown, DomainEvent>,
  webhook: webhookDecider as unknown as Decider<never, unknown, DomainEvent>,
  delivery: deliveryDecider as unknown as Decider<never, unknown, DomainEvent>,
};

export const stateCommand = (): Command =>
  new Command('state')
    .argument(
      '<stream>',
      'task-<uuid>, execution-<uuid>, batch-<uuid>, webhook-<uuid> or delivery-<uuid>',
      statefulArgument,
    )
    .option('--at-version <version>', 'after this event of the stream', wholeNumberBetween(1, VERSION_MAX))
    .option('--at-time <time>', 'at this time, RFC 3339', timeArgument)
    .action((stream: StatefulRef, asOf: AsOf) => withLog((context) => state(context, stream, asOf)));

async function state({ store }: CliContext, stream: StatefulRef, { atVersion, atTime }: AsOf): Promise<void> {
  const decider = DECIDERS[stream.type];
  const recorded = await store.readStream(stream);
  const events = recorded.slice(0, atVersion).filter(({ recordedAt }) => atTime === undefined || recordedAt <= atTime);
  const last = events.at(-1);
  if (recorded.length === 0) return notFound(`${streamName(stream)}: no such stream`);
  if (atVersion !== undefined && atVersion > recorded.length) {
    return notFound(`${streamName(stream)} has no version ${atVersion}: its newest is ${recorded.length}`);
  }
  if (!last) return notFound(`${streamName(stream)}: nothing recorded by then`);
  const folded = fold(decider, decider.initialState, events as readonly DomainEvent[]);
  const { version, recordedAt } = last;
  print(JSON.stringify({ stream: streamName(stream), version, recorded_at: recordedAt, state: folded }, null, 2));
}

function notFound(text: string): void {
  warn(text);
  process.exitCode = EXIT_FAULTS;
}

function statefulArgument(text: string): StatefulRef {
  const { type, id } = streamArgument(text);
  if (type === 'user') throw new InvalidArgumentError('Users have no state: expected another stream.');
  return { type, id };
}

function timeArgument(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('Expected a time, such as 2026-01-31T12:00:00Z.');
  }
  return time;
}
