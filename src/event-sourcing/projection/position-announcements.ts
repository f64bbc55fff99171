import type { Subscription as NatsSubscription } from 'nats';

import type { NatsLink } from '../../platform/nats/nats-link.js';
import { subjectPrefix } from '../relay/event-message.js';

export interface PositionAnnouncementsOptions {
  /** Null: this process alone. */
  readonly nats: NatsLink | null;
  readonly prefix: string;
  readonly subscription: string;
}

/**
 * Says how far a subscription is, the moment it is: within the process directly, to the others over core NATS. Nothing
 * is kept and nothing is acknowledged; whoever must know reads the checkpoint.
 */
export class PositionAnnouncements {
  readonly subject: string;
  private readonly listeners = new Set<(position: bigint) => void>();

  constructor(private readonly options: PositionAnnouncementsOptions) {
    this.subject = `${subjectPrefix(options.prefix)}.announce.${options.subscription}`;
  }

  /** Listens to other processes. @returns how to stop */
  start(): () => void {
    let current: NatsSubscription | null = null;
    const stop = this.options.nats?.onConnection((connection) => {
      current = connection.subscribe(this.subject, {
        callback: (error, message) => {
          if (!error && /^\d{1,19}$/.test(message.string())) this.tell(BigInt(message.string()));
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
    this.tell(position);
    const { nats } = this.options;
    try {
      if (nats?.connected) nats.connection().publish(this.subject, position.toString());
    } catch {
      // The connection is just closing; who waits polls as well.
    }
  }

  /** @returns how to stop listening */
  onPosition(listener: (position: bigint) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(position: bigint): void {
    for (const listener of this.listeners) listener(position);
  }
}
