import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

import { ignoreErrors } from '../platform/async/ignore-errors.js';

/** Resolves host names. */
export abstract class HostAddresses {
  /** @returns at least one IP address. @throws Error if there is none */
  abstract of(host: string): Promise<readonly string[]>;
}

const HOSTS_FILE = '/etc/hosts';
/** Of each server that is asked, and how often all of them are. */
const DNS_MS_MAX = 2_000;
const DNS_TRIES = 2;

/**
 * As the operating system resolves them: /etc/hosts, then DNS. But not by the operating system's own function: it
 * occupies a thread of the process until the last server has not answered. Node has two such threads, and whoever runs
 * the DNS of a receiver could occupy them. A name without a dot is one of the operator's, and may need its search list.
 */
export class SystemHostAddresses extends HostAddresses {
  private readonly resolver = new Resolver({ timeout: DNS_MS_MAX, tries: DNS_TRIES });

  /** @param servers other DNS servers than the system's */
  constructor(servers?: readonly string[]) {
    super();
    if (servers) this.resolver.setServers(servers);
  }

  override async of(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    if (!host.includes('.')) return (await lookup(host, { all: true })).map(({ address }) => address);
    const hostsFile = await ignoreErrors(readFile(HOSTS_FILE, 'utf8'), 'a system without one');
    const named = namedIn(hostsFile ?? '', host);
    return named.length > 0 ? named : this.resolved(host);
  }

  private async resolved(host: string): Promise<readonly string[]> {
    const [v4, v6] = await Promise.allSettled([this.resolver.resolve4(host), this.resolver.resolve6(host)]);
    const found = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
    return found;
  }
}

/** The addresses of a name in a hosts file (hosts(5)). */
export const namedIn = (hostsFile: string, host: string): string[] =>
  hostsFile
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([, ...names]) => names.some((name) => name.toLowerCase() === host))
    .map(([address]) => address!);
