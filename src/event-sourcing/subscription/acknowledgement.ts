import type { JsMsg } from 'nats';

/** Settled messages that may be unacknowledged: far fewer than the consumer may have on its way. */
const MESSAGES_MAX = 200;
/** What is acknowledged later is at worst delivered again after a crash, and dropped. */
const DELAY_MS = 100;

/**
 * One acknowledgement for many messages: each stands for all before it, and a write to a socket costs what the work of
 * a whole event does.
 */
export class Acknowledgement {
  private newest: JsMsg | null = null;
  private messages = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param messages settled since the last call, with this one as the newest */
  acknowledge(newest: JsMsg, messages: number): void {
    if (!this.newest || newest.seq > this.newest.seq) this.newest = newest;
    this.messages += messages;
    if (this.messages >= MESSAGES_MAX) this.send();
    else this.timer ??= setTimeout(() => this.send(), DELAY_MS).unref();
  }

  /** Sends what is due now. Never throws: where the connection is gone, the messages come again. */
  send(): void {
    const { newest } = this;
    this.forget();
    try {
      newest?.ack();
    } catch {
      // Delivered again, and dropped.
    }
  }

  private forget(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.newest = null;
    this.messages = 0;
  }
}
