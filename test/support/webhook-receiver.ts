import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { Webhook } from 'standardwebhooks';

import { eventually } from './eventually.js';

/** A request as a receiver gets it. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly method: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The CloudEvent. */
  readonly event: ReceivedEvent;
  readonly text: string;
}

export interface ReceivedEvent {
  readonly specversion: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Record<string, unknown>;
}

/** How a receiver answers; it may never do so. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage, received: ReceivedWebhook) => void;

export const answer =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    response.writeHead(status, headers).end();

/** A real HTTP server on loopback. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** By path; without one: 204. */
  readonly behaviours = new Map<string, Behaviour>();
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((request, response) => void this.receive(request, response));

  private constructor() {
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await receiver.listen(0);
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async listen(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Nobody listens on its port any more. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  at(path: string): ReceivedWebhook[] {
    return this.received.filter((received) => received.path === path);
  }

  /** Waits for a number of requests. */
  async next(path: string, count: number, timeoutMs = 60_000): Promise<readonly ReceivedWebhook[]> {
    return await eventually(
      () => {
        const received = this.at(path);
        if (received.length < count) throw new Error(`${path}: ${received.length} of ${count} requests`);
        return received;
      },
      { timeoutMs },
    );
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    const received = {
      path: request.url!,
      method: request.method!,
      id: headers['webhook-id']!,
      headers,
      event: JSON.parse(text) as ReceivedEvent,
      text,
    };
    this.received.push(received);
    (this.behaviours.get(received.path) ?? answer(204))(response, request, received);
  }
}

/** Verified by the public library of Standard Webhooks. @throws if the signature is wrong, or too old */
export function verified(secret: string, { text, headers }: ReceivedWebhook): unknown {
  return new Webhook(secret).verify(text, headers);
}
