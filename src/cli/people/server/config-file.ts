import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

import { Failure } from '../../failure.js';
import { warn } from '../../output.js';

/** What is kept of one server. */
export interface KnownServer {
  readonly api_key?: string;
  readonly key_id?: string;
  readonly email?: string;
}

export interface PeopleConfig {
  /** The server of commands that name none. */
  readonly server?: string;
  readonly servers: Readonly<Record<string, KnownServer>>;
}

const CONFIG_BYTES_MAX = 1024 ** 2;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/** By the XDG Base Directory Specification: a relative XDG_CONFIG_HOME is ignored. */
export function configPath(): string {
  const { XDG_CONFIG_HOME: home = '' } = process.env;
  return join(isAbsolute(home) ? home : join(homedir(), '.config'), 'voidrunner', 'config.json');
}

/** An empty one if there is no file. */
export async function readConfig(): Promise<PeopleConfig> {
  const path = configPath();
  try {
    const { size, mode } = await stat(path);
    if (size > CONFIG_BYTES_MAX) throw new Failure(`${path} has more than ${CONFIG_BYTES_MAX} bytes`);
    if ((mode & OTHERS) !== 0) warn(`voidrunner: other users may read your API keys: run "chmod 600 ${path}"`);
    return checked(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Failure) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { servers: {} };
    // The parser's own message quotes the text, which holds keys.
    const reason = (error as NodeJS.ErrnoException).code ?? 'it is not the JSON that voidrunner writes';
    throw new Failure(`cannot read ${path} (${reason}): correct or remove it`);
  }
}

function checked(value: unknown): PeopleConfig {
  const { server, servers = {} } = (isObject(value) ? value : { servers: null }) as Record<string, unknown>;
  const texts = (known: unknown) =>
    isObject(known) && Object.values(known).every((text) => text === undefined || typeof text === 'string');
  if (!isObject(servers) || !Object.values(servers).every(texts)) throw new SyntaxError('servers');
  if (server !== undefined && typeof server !== 'string') throw new SyntaxError('server');
  return { ...(server !== undefined && { server }), servers: servers as PeopleConfig['servers'] };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Readers see the old file or the new one. Of two writers at once, the later one wins. */
export async function writeConfig(config: PeopleConfig): Promise<void> {
  const path = configPath();
  const folder = dirname(path);
  const next = `${path}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    await chmod(folder, FOLDER_MODE);
    const file = await open(next, 'wx', FILE_MODE);
    try {
      // Whatever the umask is.
      await file.chmod(FILE_MODE);
      await file.writeFile(`${JSON.stringify(config, null, 2)}\n`);
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw new Failure(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}
