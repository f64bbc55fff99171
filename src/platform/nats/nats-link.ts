import { connect, Events, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';

import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../async/delay.js';
import { ignoreErrors } from '../async/ignore-errors.js';
import { waitForCall } from '../async/wait-for-call.js';
import type { Log } from '../telemetry/log.js';

export interface NatsLinkOptions {
  /** One or more servers, comma-separated: `nats://host:port`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly log: Log;
}

const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_DELAY_MS_MIN = 50;
const RECONNECT_DELAY_MS_MAX = 1_000;
const PING_INTERVAL_MS = 5_000;
const PINGS_OUT_MAX = 2;
/** Of one call to the API of JetStream, and of one publish. */
export const NATS_REQUEST_TIMEOUT_MS = 5_000;

/**
 * The connection of the process to NATS. NATS may be unavailable at any time, from the start or later: the link
 * connects in the background without limit, and callers get `Unavailable` meanwhile.
 */
export class NatsLink {
  private current: NatsConnection | null = null;
  private up = false;
  private attempts = 0;
  private readonly closing = new AbortController();
  private running: Promise<void> | null = null;
  private readonly stateListeners = new Set<(connected: boolean) => void>();
  private readonly connectionListeners = new Set<(connection: NatsConnection) => void>();

  constructor(private readonly options: NatsLinkOptions) {}

  get connected(): boolean {
    return this.up;
  }

  /** Starts to connect; returns at once. */
  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    if (this.current) await ignoreErrors(this.current.close(), 'a connection that fails to close is lost');
    await this.running;
  }

  /** @throws Unavailable */
  connection(): NatsConnection {
    if (!this.current || !this.up) throw new Unavailable('nats', 'NATS is not connected');
    return this.current;
  }

  /** @throws Unavailable */
  jetstream(): JetStreamClient {
    return this.connection().jetstream({ timeout: NATS_REQUEST_TIMEOUT_MS });
  }

  /** @throws Unavailable */
  async manager(): Promise<JetStreamManager> {
    return await this.connection().jetstreamManager({ timeout: NATS_REQUEST_TIMEOUT_MS, checkAPI: false });
  }

  /** Called whenever the connection is established or lost. @returns a function that stops listening */
  onStateChange(listener: (connected: boolean) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  /**
   * Called with the current connection, and with every new one: the place to subscribe. A reconnect keeps the
   * subscriptions and is not a new connection. @returns a function that stops listening
   */
  onConnection(listener: (connection: NatsConnection) => void): () => void {
    this.connectionListeners.add(listener);
    if (this.current) listener(this.current);
    return () => this.connectionListeners.delete(listener);
  }

  /** Resolves once connected. @returns false if that takes longer than `timeoutMs` */
  async whenConnected(timeoutMs: number): Promise<boolean> {
    if (!this.up) await waitForCall((call) => this.onStateChange((connected) => connected && call()), { timeoutMs });
    return this.up;
  }

  health(): { healthy: boolean; detail: string } {
    if (!this.current || !this.up) return { healthy: false, detail: 'not connected' };
    return { healthy: true, detail: `nats ${this.current.info?.version ?? 'unknown'}` };
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        const connection = await this.open();
        await this.watch(connection);
      } catch (error) {
        if (this.attempts === 0)
          this.options.log.warn({ err: error }, 'NATS is unavailable, connecting in the background');
      }
      this.setUp(false);
      this.current = null;
      await delay(this.nextDelayMs(), { signal });
    }
  }

  private open(): Promise<NatsConnection> {
    const { url, user, password, name } = this.options;
    return connect({
      servers: url.split(',').map((server) => server.trim()),
      name,
      ...(user && { user, pass: password ?? '' }),
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      // A server that returns before its users are loaded is an outage, not a reason to give up.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => this.nextDelayMs(),
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: PINGS_OUT_MAX,
      noAsyncTraces: true,
    });
  }

  /** Resolves when the connection is closed for good. It reconnects, so only `close()` does that. */
  private async watch(connection: NatsConnection): Promise<void> {
    if (this.closing.signal.aborted) return await connection.close();
    this.current = connection;
    this.setUp(true);
    for (const listener of this.connectionListeners) listener(connection);
    // The iterator may outlive the connection; only `closed()` is reliable.
    void this.followStatus(connection);
    await connection.closed();
  }

  private async followStatus(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (this.current !== connection) return;
      if (type === Events.Disconnect) this.setUp(false);
      if (type === Events.Reconnect) this.setUp(true);
    }
  }

  private nextDelayMs(): number {
    const delayMs = Math.min(RECONNECT_DELAY_MS_MAX, RECONNECT_DELAY_MS_MIN * 2 ** Math.min(this.attempts, 10));
    this.attempts += 1;
    return delayMs * (0.75 + Math.random() / 2);
  }

  private setUp(up: boolean): void {
    if (up) this.attempts = 0;
    if (this.up === up) return;
    this.up = up;
    if (!this.closing.signal.aborted) this.options.log.info({ connected: up }, 'NATS connection');
    for (const listener of this.stateListeners) listener(up);
  }
}
