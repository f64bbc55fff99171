import type { StoredEvent } from '../../event-sourcing/core/stored-event.js';
import { eventBody, EventHeader } from '../../event-sourcing/relay/event-message.js';
import type { EventsStream } from '../../event-sourcing/relay/events-stream.js';
import type { StoredEventReader } from '../../event-sourcing/relay/stored-event-reader.js';
import { messagesOf } from '../../event-sourcing/relay/stream-messages.js';
import { isSameJson } from '../../kernel/json.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import { type CheckReport, Faults } from './finding.js';

type Log = Pick<StoredEventReader, 'readAllStored'>;

const BATCH_EVENTS = 1_000;

/** JetStream has the same events as Postgres over the range it holds. A repeated message is harmless and no fault. */
export async function checkStream(
  log: Log,
  nats: NatsLink,
  stream: EventsStream,
  { head, epoch }: { head: bigint; epoch: number },
): Promise<CheckReport> {
  const faults = new Faults('JetStream equals the log over its range');
  const recorded = new RecordedEvents(log);
  let examined = 0;
  let last: bigint | null = null;
  for await (const message of messagesOf(nats, stream)) {
    const position = BigInt(message.headers?.get(EventHeader.position) || 0);
    if (Number(message.headers?.get(EventHeader.epoch)) !== epoch) continue;
    if (position > head) break;
    if (last !== null && position <= last) continue;
    if (last !== null && position !== last + 1n) faults.add(`${last} is followed by ${position}`);
    const event = await recorded.at(position);
    if (!event) faults.add(`position ${position} is not in the log`);
    else if (!isSame(eventBody(event), message.string())) faults.add(`position ${position} differs from the log`);
    examined += 1;
    last = position;
  }
  if (last !== null && last < head) faults.add(`the stream ends at ${last}, the log at ${head}`);
  return faults.report(`${examined} messages`);
}

/** A relay may publish an event as it was sent to Postgres, and Postgres reorders its members. */
const isSame = (recorded: string, published: string): boolean =>
  recorded === published || isSameJson(parsed(recorded), parsed(published));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads ahead, because messages come in order. */
class RecordedEvents {
  private batch = new Map<bigint, StoredEvent>();

  constructor(private readonly log: Log) {}

  async at(position: bigint): Promise<StoredEvent | undefined> {
    if (!this.batch.has(position)) {
      const events = await this.log.readAllStored(position - 1n, BATCH_EVENTS);
      this.batch = new Map(events.map((event) => [event.position, event]));
    }
    return this.batch.get(position);
  }
}
