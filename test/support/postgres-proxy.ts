import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import type { PostgresOptions } from '../../src/platform/postgres/pool.js';

/** A proxy between a client and Postgres, so that a test can drop a response after the server has sent it. */
export class PostgresProxy {
  private readonly sockets = new Set<Socket>();
  private doomed: { text: string; times: number } | null = null;
  private lost = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: PostgresOptions,
  ) {}

  static async before(target: PostgresOptions): Promise<PostgresProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new PostgresProxy(server, target);
    server.on('connection', (client) => proxy.join(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get options(): PostgresOptions {
    return { ...this.target, host: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  /** How many responses were dropped. */
  get answersLost(): number {
    return this.lost;
  }

  /** The next connections that send this text break when the server responds, after it has executed the request. */
  loseAnswersTo(text: string, times: number): void {
    this.doomed = { text, times };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const postgres = connect({ host: this.target.host, port: this.target.port, noDelay: true });
    let doomed = false;
    client.on('data', (chunk) => {
      if (this.doomed && this.doomed.times > 0 && chunk.includes(this.doomed.text)) {
        this.doomed.times -= 1;
        doomed = true;
      }
      postgres.write(chunk);
    });
    postgres.on('data', (chunk) => {
      if (!doomed) return void client.write(chunk);
      this.lost += 1;
      client.destroy();
    });
    for (const [socket, other] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
