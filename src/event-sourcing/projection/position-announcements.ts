import type { Subscription as NatsSubscription } from 'nats';

import type { NatsLink } from '../../platform/nats/nats-link.js';
import { subjectPrefix } from '../relay/event-message.js';
import type { Row } from './projection-table.js';

export interface PositionAnnouncementsOptions {
  /** Null: this process only. */
  readonly nats: NatsLink | null;
  /** Whether other processes may wait for the position. If not, nothing is sent. */
  readonly isShared: () => boolean;
  readonly prefix: string;
  readonly subscription: string;
}

/** A stream's row as the projector has just written it; undefined if that is not known in this process. */
export type RowOfStream = (streamId: string) => Row | undefined;

/** @param endedStreams ids of the streams whose end was applied on the way to the position */
type AnnouncementListener = (position: bigint, endedStreams: readonly string[], rowOf: RowOfStream) => void;

const NO_ROWS: RowOfStream = () => undefined;

/** A position, and the ids of ended streams, at most one per event of a subscription's batch. */
const MESSAGE = /^\d{1,19}(?: [\da-f-]{36})*$/;

/**
 * Announces the position of a subscription as soon as it is reached, and the streams that ended on the way: directly
 * within the process, over core NATS to other processes. Nothing is stored or acknowledged; a caller that needs
 * certainty reads the checkpoint.
 */
export class PositionAnnouncements {
  readonly subject: string;
  private readonly listeners = new Set<AnnouncementListener>();

  constructor(private readonly options: PositionAnnouncementsOptions) {
    this.subject = `${subjectPrefix(options.prefix)}.announce.${options.subscription}`;
  }

  /** Listens to other processes. @returns a function that stops it */
  start(): () => void {
    let current: NatsSubscription | null = null;
    const stop = this.options.nats?.onConnection((connection) => {
      current = connection.subscribe(this.subject, {
        callback: (error, message) => {
          if (!error) this.receive(message.string());
        },
      });
    });
    return () => {
      stop?.();
      current?.unsubscribe();
    };
  }

  /** Never throws. */
  announce(position: bigint, endedStreams: readonly string[] = [], rowOf: RowOfStream = NO_ROWS): void {
    this.notify(position, endedStreams, rowOf);
    const { nats, isShared } = this.options;
    try {
      if (nats?.connected && isShared()) nats.connection().publish(this.subject, [position, ...endedStreams].join(' '));
    } catch {
      // The connection is closing; callers that wait also poll.
    }
  }

  /** @returns a function that stops listening */
  onPosition(listener: AnnouncementListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private receive(message: string): void {
    if (!MESSAGE.test(message)) return;
    const [position, ...endedStreams] = message.split(' ');
    this.notify(BigInt(position!), endedStreams, NO_ROWS);
  }

  private notify(position: bigint, endedStreams: readonly string[], rowOf: RowOfStream): void {
    for (const listener of this.listeners) listener(position, endedStreams, rowOf);
  }
}
