import type { JsMsg } from 'nats';

/** Processed messages that may be unacknowledged: far fewer than the consumer may have in flight. */
const MESSAGES_MAX = 200;
/** A message that is acknowledged late is at worst redelivered after a crash, and dropped. */
const DELAY_MS = 100;

/**
 * One acknowledgement for many messages: each covers all before it, and a socket write costs as much as processing an
 * event.
 */
export class Acknowledgement {
  private newest: JsMsg | null = null;
  private messages = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param messages processed since the last call; `newest` is the last of them */
  acknowledge(newest: JsMsg, messages: number): void {
    if (!this.newest || newest.seq > this.newest.seq) this.newest = newest;
    this.messages += messages;
    if (this.messages >= MESSAGES_MAX) this.send();
    else this.timer ??= setTimeout(() => this.send(), DELAY_MS).unref();
  }

  /** Sends what is due now. Never throws: if the connection is lost, the messages are redelivered. */
  send(): void {
    const { newest } = this;
    this.forget();
    try {
      newest?.ack();
    } catch {
      // Redelivered, and dropped.
    }
  }

  private forget(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.newest = null;
    this.messages = 0;
  }
}
