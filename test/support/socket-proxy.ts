import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A proxy between a client and a service, on its own socket, so that a test can disconnect the two. */
export class SocketProxy {
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly folder: string,
    private readonly target: string,
  ) {}

  /** @param endpoint `unix:///path` or `tcp://host:port`. Not listening until `open()`. */
  static async before(endpoint: string): Promise<SocketProxy> {
    return new SocketProxy(await mkdtemp(join(tmpdir(), 'proxy-')), endpoint);
  }

  get endpoint(): string {
    return `unix://${this.path}`;
  }

  private get path(): string {
    return join(this.folder, 'proxy.sock');
  }

  /** @param options.forwarding false: accepts connections and sends nothing on them */
  async open({ forwarding = true } = {}): Promise<void> {
    this.server = createServer({ allowHalfOpen: true }, (client) =>
      forwarding ? this.join(client, this.dial()) : this.hold(client),
    );
    await new Promise<void>((resolve) => this.server!.listen(this.path, resolve));
  }

  /** Breaks all connections and accepts no new ones. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async remove(): Promise<void> {
    await this.cut();
    await rm(this.folder, { recursive: true, force: true });
  }

  private dial(): Socket {
    if (this.target.startsWith('unix://')) return connect({ path: this.target.slice(7), allowHalfOpen: true });
    const { hostname, port } = new URL(this.target);
    return connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  }

  private hold(client: Socket): void {
    this.sockets.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => this.sockets.delete(client));
  }

  private join(client: Socket, service: Socket): void {
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      this.sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
