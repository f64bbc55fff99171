import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { connect, type NatsConnection } from 'nats';

import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import type { NatsAddress } from './nats.js';

const execute = promisify(execFile);

/** A private NATS server with the configuration of installations (infra/nats/config.sh). */
export class ConfiguredNats implements NatsAddress {
  readonly url: string;
  readonly user = 'voidrunner';
  readonly password = 'password of the service';
  readonly reader = { user: 'reader', pass: 'password of the reader' };
  private server: ChildProcess | null = null;

  private constructor(
    private readonly port: number,
    readonly folder: string,
    private readonly settings: NodeJS.ProcessEnv,
  ) {
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** Prepares a server; `start` starts it. @param settings of the configuration, beyond those of this class */
  static async prepare(settings: NodeJS.ProcessEnv = {}): Promise<ConfiguredNats> {
    return new ConfiguredNats(await freePort(), await mkdtemp(join(tmpdir(), 'voidrunner-nats-')), settings);
  }

  static async start(settings: NodeJS.ProcessEnv = {}): Promise<ConfiguredNats> {
    const nats = await ConfiguredNats.prepare(settings);
    await nats.start();
    return nats;
  }

  async start(): Promise<void> {
    const file = join(this.folder, 'nats.conf');
    const { stdout } = await execute('sh', ['infra/nats/config.sh'], { env: this.environment() });
    await writeFile(file, stdout, { mode: 0o600 });
    this.server = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
    await eventually(async () => {
      const connection = await this.connect({ user: this.user, pass: this.password });
      try {
        await connection.jetstreamManager();
      } finally {
        await connection.close();
      }
    });
  }

  connect(credentials: { readonly user: string; readonly pass: string }): Promise<NatsConnection> {
    return connect({ servers: this.url, reconnect: false, timeout: 1_000, ...credentials });
  }

  async stop(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill('SIGTERM');
    await exit;
  }

  /** Stops it and deletes its files. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      NATS_LISTEN: `127.0.0.1:${this.port}`,
      // Any free port: nobody asks it.
      NATS_MONITOR_LISTEN: '127.0.0.1:-1',
      NATS_STORE_DIR: this.folder,
      NATS_USER: this.user,
      NATS_PASSWORD: this.password,
      NATS_READER_USER: this.reader.user,
      NATS_READER_PASSWORD: this.reader.pass,
      ...this.settings,
    };
  }
}
