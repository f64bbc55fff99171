import { delay } from '../delay.js';
import { ConnectionError } from '../errors.js';
import { backoffMs } from '../transport/backoff.js';

/** Short connections in a row that brought nothing. Each of them was repeated already if it failed at once. */
const FRUITLESS_MAX = 10;
/** A quiet program brings nothing: proxies that close idle connections do so after longer than this. */
const SHORT_MS_MAX = 5_000;

/** When to connect again after a stream has ended early. */
export class Reconnects {
  private fruitless = 0;
  private since = Date.now();

  /** The stream brought something. */
  progress(): void {
    this.fruitless = 0;
  }

  /** @param error why the connection ended; null if the service closed it. @throws it if that happens too often */
  async pause(signal: AbortSignal, error: ConnectionError | null): Promise<void> {
    signal.throwIfAborted();
    this.fruitless = Date.now() - this.since > SHORT_MS_MAX ? 1 : this.fruitless + 1;
    if (this.fruitless > FRUITLESS_MAX) throw error ?? new ConnectionError('The stream is closed again and again');
    // At once after progress: a service that stops closes its streams, and another process has the rest.
    if (this.fruitless > 1) await delay(backoffMs(this.fruitless), signal);
    this.since = Date.now();
  }
}
