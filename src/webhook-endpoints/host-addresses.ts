import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Resolves host names. */
export abstract class HostAddresses {
  /** @returns at least one IP address. @throws Error of node:dns if there is none */
  abstract of(host: string): Promise<readonly string[]>;
}

/** As the operating system resolves them: /etc/hosts, then DNS. */
export class SystemHostAddresses extends HostAddresses {
  override async of(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    return (await lookup(host, { all: true })).map(({ address }) => address);
  }
}
