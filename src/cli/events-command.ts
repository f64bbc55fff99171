import { Command, Option } from 'commander';

import { createEventCatalog } from '../composition/event-catalog.js';
import { streamName, type RecordedEvent, type StreamRef } from '../event-sourcing/core/event.js';
import { historyEntryOf } from '../event-sourcing/core/history-entry.js';
import { delay } from '../platform/async/delay.js';
import { type CliContext, withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { print, warn } from './output.js';
import { STREAM_FORMS, streamArgument } from './stream-argument.js';
import { wholeNumberArgument } from './whole-number.js';

const TAIL_BATCH_EVENTS = 500;
const TAIL_POLL_MS = 250;

interface TailOptions {
  readonly from?: number;
  readonly type?: string;
  readonly stream?: StreamRef;
  readonly follow: boolean;
  readonly json?: true;
}

export function eventsCommand(): Command {
  const events = new Command('events');
  events
    .command('show')
    .description('print all events of a task, an execution or a user, oldest first')
    .argument('<stream>', STREAM_FORMS, streamArgument)
    .option('--json', 'one JSON object a line, with metadata')
    .action((stream: StreamRef, { json }: { json?: true }) =>
      withLog((context) => show(context, stream, json === true)),
    );
  events
    .command('tail')
    .description('print new events as they are recorded')
    .option('--from <position>', 'start after this position instead of at the end', wholeNumberArgument)
    .addOption(new Option('--type <event type>', 'only events of this type').choices(createEventCatalog().names))
    .option('--stream <stream>', 'only events of this stream', streamArgument)
    .option('--no-follow', 'stop at the end of the log')
    .option('--json', 'one JSON object a line, with metadata')
    .action((options: TailOptions) => withLog((context) => tail(context, options)));
  return events;
}

async function show({ store }: CliContext, stream: StreamRef, json: boolean): Promise<void> {
  const events = await store.readStream(stream);
  if (events.length === 0) {
    warn(`${streamName(stream)}: no such stream`);
    process.exitCode = EXIT_FAULTS;
  }
  for (const event of events) print(json ? jsonLine(event) : textLine(event));
}

/** Reads Postgres, not JetStream: it shows only recorded events. */
async function tail({ store }: CliContext, { from, type, stream, follow, json }: TailOptions): Promise<void> {
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  let position = from === undefined ? (await store.head()).position : BigInt(from);
  while (!stopping.signal.aborted) {
    const events = await store.readAll(position, TAIL_BATCH_EVENTS);
    for (const event of events) {
      const wanted =
        (type === undefined || event.type === type) && (stream === undefined || stream.id === event.stream.id);
      if (wanted) print(json ? jsonLine(event) : textLine(event));
    }
    position = events.at(-1)?.position ?? position;
    if (events.length > 0) continue;
    if (!follow) return;
    await delay(TAIL_POLL_MS, { signal: stopping.signal });
  }
}

const jsonLine = (event: RecordedEvent): string =>
  JSON.stringify({
    stream: streamName(event.stream),
    ...historyEntryOf(event),
    event_id: event.eventId,
    metadata: event.metadata,
  });

function textLine(event: RecordedEvent): string {
  const { position, time, type, version, actor, data } = historyEntryOf(event);
  return `${position}\t${time}\t${streamName(event.stream)}@${version}\t${type}\t${actor}\t${JSON.stringify(data)}`;
}
