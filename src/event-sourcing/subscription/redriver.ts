import { asUnavailable } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { EventCatalog } from '../core/event-catalog.js';
import type { Delivery } from '../core/event.js';
import { deliveryOfStored } from '../relay/event-message.js';
import type { StoredEventReader } from '../relay/stored-event-reader.js';
import { type BatchApplier, isRetryable } from './batch-applier.js';
import { type ParkedEntry, type ParkedStreams, parkingError } from './parked-streams.js';

const REDRIVE_EVENTS_MAX = 200;

export interface RedriverOptions {
  readonly events: StoredEventReader;
  readonly catalog: EventCatalog;
  readonly parked: ParkedStreams;
  readonly log: Log;
}

/**
 * Folds a parked stream from where it was parked up to the checkpoint, in order, and unparks it. Runs between two
 * steps of the leader, so no event of the stream is skipped meanwhile; later events are applied as usual.
 */
export class Redriver {
  constructor(
    private readonly options: RedriverOptions,
    private readonly applier: BatchApplier,
  ) {}

  /** Ends with the stream unparked, or parked again from the event that failed. @throws Unavailable, CheckpointMoved */
  async redrive(entry: ParkedEntry, signal: AbortSignal): Promise<void> {
    const { events, catalog, log } = this.options;
    const stream = { type: entry.streamType, id: entry.streamId };
    let afterVersion = entry.fromVersion - 1;
    while (!signal.aborted) {
      const stored = await events.readStreamStored(stream, afterVersion, REDRIVE_EVENTS_MAX);
      const due = stored
        .filter(({ position }) => position <= this.applier.position)
        .map((event) => deliveryOfStored(catalog, event));
      const last = due.at(-1)?.event;
      const isEnd = due.length < REDRIVE_EVENTS_MAX;
      if (!(await this.fold(entry, due, isEnd, signal))) return;
      if (isEnd) break;
      afterVersion = last!.version;
    }
    if (!signal.aborted) log.info({ subscription: entry.subscription, stream_id: entry.streamId }, 'stream unparked');
  }

  private async fold(
    entry: ParkedEntry,
    due: readonly Delivery[],
    isEnd: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { parked } = this.options;
    const last = due.at(-1)?.event;
    try {
      await this.applier.refold(due, signal, (client) =>
        isEnd || !last
          ? parked.unpark(client, entry)
          : parked.advance(client, entry, { position: last.position + 1n, version: last.version + 1 }),
      );
      return true;
    } catch (error) {
      if (signal.aborted || isRetryable(error)) throw asUnavailable(error);
      const [first] = due;
      if (!first) throw error;
      if (due.length > 1) {
        const middle = due.length >> 1;
        if (!(await this.fold(entry, due.slice(0, middle), false, signal))) return false;
        return await this.fold(entry, due.slice(middle), isEnd, signal);
      }
      const { position, version } = first.event;
      await this.applier.note((client) =>
        parked.advance(client, entry, { position, version, error: parkingError(error) }),
      );
      return false;
    }
  }
}
