import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import proxyAddr from '@fastify/proxy-addr';

import { clientAddress } from './client-address.js';

export interface ConnectionLimitsOptions {
  /** Open connections in total. */
  readonly max: number;
  /** Open connections per address. */
  readonly perAddressMax: number;
  /** Networks of proxies. They carry the connections of many clients, so the limit per address does not apply. */
  readonly trustProxy?: readonly string[];
}

/**
 * Limits the open connections before a byte of HTTP is read. A connection above the limit is closed without a response,
 * because a response would cost what the limit saves. Its client sees a connection reset.
 */
export class ConnectionLimits {
  private readonly ofAddress = new Map<string, number>();
  private readonly isProxy: (ip: string) => boolean;
  private open = 0;
  private refused = 0;

  constructor(private readonly options: ConnectionLimitsOptions) {
    const isTrusted = proxyAddr.compile([...(options.trustProxy ?? [])]);
    this.isProxy = (ip) => isTrusted(ip, 0);
  }

  get figures(): { readonly open: number; readonly refused: number } {
    return { open: this.open, refused: this.refused };
  }

  attach(server: Server): void {
    server.on('connection', (socket: Socket) => this.admit(socket));
  }

  private admit(socket: Socket): void {
    // Undefined if the connection is already closed.
    const { remoteAddress = '' } = socket;
    const address = clientAddress(remoteAddress);
    const count = this.ofAddress.get(address) ?? 0;
    const { max, perAddressMax } = this.options;
    if (this.open >= max || (count >= perAddressMax && !this.isProxy(remoteAddress))) {
      this.refused += 1;
      socket.resetAndDestroy();
      return;
    }
    this.open += 1;
    this.ofAddress.set(address, count + 1);
    socket.once('close', () => this.closed(address));
  }

  private closed(address: string): void {
    this.open -= 1;
    const left = this.ofAddress.get(address)! - 1;
    if (left > 0) this.ofAddress.set(address, left);
    else this.ofAddress.delete(address);
  }
}
