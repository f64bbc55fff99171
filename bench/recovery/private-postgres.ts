import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { freePort } from '../../test/support/free-port.js';
import { Child } from './child.js';

const execute = promisify(execFile);

/** Postgres refuses to run as root. */
const AS_POSTGRES =
  process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

/** A private cluster, as durable as in production. */
export class PrivatePostgres {
  private constructor(
    /** For the service, and for test/support/database.ts. */
    readonly env: Readonly<Record<string, string>>,
    private readonly folder: string,
    private readonly child: Child,
  ) {}

  static async start(): Promise<PrivatePostgres> {
    const bin = (await execute('infra/dev/services', ['postgres-bin'])).stdout.trim();
    const folder = await mkdtemp(join(tmpdir(), 'voidrunner-postgres-'));
    await chmod(folder, 0o755);
    const [data, port] = [join(folder, 'data'), await freePort()];
    if (AS_POSTGRES.length > 0) await execute('chown', ['postgres:postgres', folder]);
    await run(`${bin}/initdb`, '-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8');
    await appendFile(join(data, 'postgresql.conf'), 'max_connections = 200\n');
    const env = {
      DB_HOST: '127.0.0.1',
      DB_PORT: String(port),
      DB_NAME: 'voidrunner',
      DB_USER: 'recovery_app',
      DB_PASSWORD: randomBytes(8).toString('hex'),
      DB_OWNER_USER: 'recovery_owner',
      DB_OWNER_PASSWORD: randomBytes(8).toString('hex'),
      DB_SSL_MODE: 'disable',
    };
    const ready = async () => {
      const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
      await client.connect();
      await client.end();
    };
    const [command = '', ...args] = [
      ...[...AS_POSTGRES, `${bin}/postgres`, '-D', data, '-p', String(port)],
      ...['-k', folder, '-c', 'listen_addresses=127.0.0.1'],
    ];
    const postgres = new PrivatePostgres(env, folder, new Child(command, args, ready));
    await postgres.start();
    const psql = ['-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres'];
    await execute(`${bin}/psql`, [...psql, '-f', 'infra/postgres/bootstrap.sql'], { env: { ...process.env, ...env } });
    return postgres;
  }

  /** Ends all sessions, like `pg_ctl restart -m immediate`: the next start recovers from the WAL. */
  kill(): Promise<void> {
    return this.child.end('SIGQUIT');
  }

  /** Resolves when it is ready. */
  start(): Promise<void> {
    return this.child.start();
  }

  async remove(): Promise<void> {
    await this.child.end('SIGINT');
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function run(...command: string[]): Promise<void> {
  const [file = '', ...args] = [...AS_POSTGRES, ...command];
  await execute(file, args);
}
