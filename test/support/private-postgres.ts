import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, openSync, closeSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { migrateUp } from '../../src/platform/postgres/migrator.js';
import type { PostgresOptions } from '../../src/platform/postgres/pool.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;
const START_ATTEMPTS_MAX = 5;

const ROLES = { owner: 'vr_owner', app: 'vr_app' } as const;
const DATABASE = 'voidrunner';
const PASSWORD = 'of a server that lives as long as a test';

/** A private, migrated Postgres whose server log can be read, with the settings of infra/postgres/log-settings.conf. */
export class PrivatePostgres {
  private server: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly bin: string,
    private readonly settings: readonly string[],
    private port: number,
  ) {}

  static async start(): Promise<PrivatePostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'voidrunner-postgres-'));
    const bin = (await run('infra/dev/services', ['postgres-bin'])).stdout.trim();
    const postgres = new PrivatePostgres(folder, bin, await logSettings(), 0);
    await postgres.initialise();
    for (let attempt = 1; ; attempt += 1) {
      postgres.port = await freePort();
      const answers = postgres.resume();
      const gone = once(postgres.server!, 'exit').then(() => false);
      if (await Promise.race([answers.then(() => true), gone])) break;
      await ignoreErrors(answers, 'the server is gone');
      if (attempt === START_ATTEMPTS_MAX) throw new Error(`Postgres does not start: ${await postgres.log()}`);
    }
    await postgres.bootstrap();
    await migrateUp({ owner: postgres.options('owner'), appRole: ROLES.app });
    return postgres;
  }

  /** The environment of a process of the service. */
  get env(): NodeJS.ProcessEnv {
    return {
      DB_HOST: '127.0.0.1',
      DB_PORT: String(this.port),
      DB_NAME: DATABASE,
      DB_USER: ROLES.app,
      DB_PASSWORD: PASSWORD,
      DB_OWNER_USER: ROLES.owner,
      DB_OWNER_PASSWORD: PASSWORD,
    };
  }

  options(role: keyof typeof ROLES): PostgresOptions {
    return {
      host: '127.0.0.1',
      port: this.port,
      database: DATABASE,
      user: ROLES[role],
      password: PASSWORD,
      applicationName: `test-${role}`,
    };
  }

  log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }

  /** Writes a line to the log that marks where a part of a test starts. */
  mark(text: string): void {
    appendFileSync(this.logFile, `${text}\n`);
  }

  /** Starts on the same port and data as before. Resolves when it is ready. */
  async resume(): Promise<void> {
    const log = openSync(this.logFile, 'a', 0o600);
    const [command, args] = this.asPostgres(join(this.bin, 'postgres'), [
      ...['-D', this.data, '-p', String(this.port), '-k', '', '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'max_connections=120', '-c', 'fsync=off', ...this.settings.flatMap((setting) => ['-c', setting])],
    ]);
    this.server = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await eventually(() => this.asSuperuser('select 1'), { timeoutMs: START_TIMEOUT_MS });
  }

  /** Ends it without waiting for clients. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill('SIGINT');
    await exit;
  }

  /** Stops it and deletes its files. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private get logFile(): string {
    return join(this.folder, 'log');
  }

  private async initialise(): Promise<void> {
    await mkdir(this.data, { mode: 0o700 });
    if (isRoot) {
      const [user, group] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
      for (const path of [this.folder, this.data]) await chown(path, Number(user!.stdout), Number(group!.stdout));
    }
    const [command, args] = this.asPostgres(join(this.bin, 'initdb'), [
      ...['-D', this.data, '-U', 'postgres', '--auth-host=trust', '--auth-local=reject', '--no-sync'],
      ...['--encoding=UTF8', '--locale=C.UTF-8'],
    ]);
    await run(command, args);
  }

  private async bootstrap(): Promise<void> {
    for (const role of Object.values(ROLES)) {
      await this.asSuperuser(`create role ${role} login createdb password '${PASSWORD}'`);
    }
    await this.asSuperuser(`create database ${DATABASE} owner ${ROLES.owner}`);
  }

  private async asSuperuser(sql: string): Promise<void> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  /** Postgres refuses to run as root. */
  private asPostgres(program: string, args: string[]): [command: string, args: string[]] {
    if (!isRoot) return [program, args];
    const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--reset-env'];
    return ['setpriv', [...user, program, ...args]];
  }
}

const isRoot = process.getuid?.() === 0;

/** `name=value`, as the server's command line takes them. */
export async function logSettings(): Promise<string[]> {
  const text = await readFile('infra/postgres/log-settings.conf', 'utf8');
  return text.split('\n').filter((line) => /^[a-z]/.test(line));
}
