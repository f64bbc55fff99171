import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect } from 'nats';

import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { NatsLink } from '../../src/platform/nats/nats-link.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export interface NatsAddress {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

/** The server of the development services. Use it with your own prefix. */
export function sharedNats(): NatsAddress {
  const url = process.env['NATS_URL'];
  if (url === undefined) throw new Error('NATS_URL is not set: start the services with `make services-start`');
  return { url, user: process.env['NATS_USER'] ?? '', password: process.env['NATS_PASSWORD'] ?? '' };
}

/** A unique prefix that is valid in stream names. */
export const uniquePrefix = (): string => `TEST_${randomBytes(6).toString('hex').toUpperCase()}`;

/** A connected link with a silent log. The caller closes it. */
export async function connectedLink(address: NatsAddress = sharedNats()): Promise<NatsLink> {
  const link = new NatsLink({ ...address, name: 'test', log: silentLog });
  link.start();
  if (!(await link.whenConnected(5_000))) throw new Error(`no NATS at ${address.url}`);
  return link;
}

/** Deletes every stream of a prefix from the shared server. */
export async function deleteStreams(prefix: string): Promise<void> {
  const { url, user, password } = sharedNats();
  const connection = await connect({ servers: url, ...(user && { user, pass: password ?? '' }) });
  const manager = await connection.jetstreamManager();
  for await (const name of manager.streams.names()) {
    if (name.startsWith(`${prefix}_`)) await manager.streams.delete(name);
  }
  await connection.close();
}

const START_ATTEMPTS_MAX = 5;

/** A private NATS server, to be stopped, killed, frozen and wiped. */
export class PrivateNats implements NatsAddress {
  readonly url: string;
  private server: ChildProcess | null = null;

  private constructor(
    private readonly port: number,
    private readonly folder: string,
  ) {
    this.url = `nats://127.0.0.1:${port}`;
  }

  static async start(): Promise<PrivateNats> {
    const folder = await mkdtemp(join(tmpdir(), 'voidrunner-nats-'));
    // Another process may take the port before it is bound.
    for (let attempt = 1; ; attempt += 1) {
      const nats = new PrivateNats(await freePort(), folder);
      const answers = nats.start();
      const gone = once(nats.server!, 'exit').then(() => false);
      if (await Promise.race([answers.then(() => true), gone])) return nats;
      await ignoreErrors(answers, 'the server is gone');
      if (attempt === START_ATTEMPTS_MAX) throw new Error('nats-server does not start');
    }
  }

  /** Starts on the same port and data as before. Resolves when JetStream responds. */
  async start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.folder, '-l', this.logFile];
    this.server = spawn('nats-server', args, { stdio: 'ignore' });
    await eventually(async () => {
      const connection = await connect({ servers: this.url, reconnect: false, timeout: 1_000 });
      try {
        await connection.jetstreamManager();
      } finally {
        await connection.close();
      }
    });
  }

  log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }

  private get logFile(): string {
    return join(this.folder, 'log');
  }

  /** Ends it like an operator. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** Ends it like a power failure. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  /** Deletes everything it stored. Stop it first. */
  async wipe(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    // nats-server does not create the folder of its log.
    await mkdir(this.folder);
  }

  /** Stops it and deletes its files. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.server;
    this.server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill(signal);
    await exit;
  }
}
