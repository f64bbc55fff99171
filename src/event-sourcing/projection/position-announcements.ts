import type { Subscription as NatsSubscription } from 'nats';

import type { NatsLink } from '../../platform/nats/nats-link.js';
import { subjectPrefix } from '../relay/event-message.js';

export interface PositionAnnouncementsOptions {
  /** Null: this process only. */
  readonly nats: NatsLink | null;
  readonly prefix: string;
  readonly subscription: string;
}

/**
 * Announces the position of a subscription as soon as it is reached: directly within the process, over core NATS to
 * other processes. Nothing is stored or acknowledged; a caller that needs certainty reads the checkpoint.
 */
export class PositionAnnouncements {
  readonly subject: string;
  private readonly listeners = new Set<(position: bigint) => void>();

  constructor(private readonly options: PositionAnnouncementsOptions) {
    this.subject = `${subjectPrefix(options.prefix)}.announce.${options.subscription}`;
  }

  /** Listens to other processes. @returns a function that stops it */
  start(): () => void {
    let current: NatsSubscription | null = null;
    const stop = this.options.nats?.onConnection((connection) => {
      current = connection.subscribe(this.subject, {
        callback: (error, message) => {
          if (!error && /^\d{1,19}$/.test(message.string())) this.notify(BigInt(message.string()));
        },
      });
    });
    return () => {
      stop?.();
      current?.unsubscribe();
    };
  }

  /** Never throws. */
  announce(position: bigint): void {
    this.notify(position);
    const { nats } = this.options;
    try {
      if (nats?.connected) nats.connection().publish(this.subject, position.toString());
    } catch {
      // The connection is closing; callers that wait also poll.
    }
  }

  /** @returns a function that stops listening */
  onPosition(listener: (position: bigint) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private notify(position: bigint): void {
    for (const listener of this.listeners) listener(position);
  }
}
