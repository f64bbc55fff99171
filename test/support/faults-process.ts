import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { eventually } from './eventually.js';
import type { TestService } from './service.js';

/** A process of the service as it is deployed: compiled and separate, so that it can be killed. */
export interface FaultyProcess {
  readonly pid: number;
  /** The API's base URL; null without the API role. */
  readonly url: string | null;
  readonly alive: boolean;
  /** When it last logged that it leads a role, milliseconds since the epoch; null if it never has. */
  ledSince(role: string): number | null;
  /** Like a crash, without a shutdown. Resolves when the process has exited. */
  kill(): Promise<void>;
  /** Like an operator, with a shutdown. @returns its exit code */
  terminate(): Promise<number | null>;
  freeze(): void;
  thaw(): void;
}

/** The process that became leader of a role last, once there is one and it is alive. */
export const leaderOf = (processes: readonly FaultyProcess[], role: string): Promise<FaultyProcess> =>
  eventually(
    () => {
      const since = (process: FaultyProcess): number => process.ledSince(role) ?? 0;
      const leader = processes.toSorted((one, other) => since(other) - since(one))[0];
      if (!leader?.alive || since(leader) === 0) throw new Error(`no process leads ${role}`);
      return leader;
    },
    { timeoutMs: LEAD_TIMEOUT_MS },
  );

interface LogLine {
  readonly msg?: string;
  readonly url?: string | null;
  readonly leader?: string;
  readonly time?: string;
}

const execute = promisify(execFile);
/** Postgres ends the leadership of a frozen process after 10 s. */
const LEAD_TIMEOUT_MS = 30_000;

/** @param overrides settings by their environment names, on top of the service's own */
export async function startProcess(service: TestService, overrides: NodeJS.ProcessEnv = {}): Promise<FaultyProcess> {
  // Compiles if necessary, and only once for concurrent callers.
  await execute('infra/dev/app', ['build']);
  return spawnProcess(service, overrides);
}

/** Starts a process of the existing build. */
export async function spawnProcess(service: TestService, overrides: NodeJS.ProcessEnv): Promise<FaultyProcess> {
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/main.js'], {
    // NODE_OPTIONS are jest's own.
    env: { ...service.env, NODE_OPTIONS: '', ...overrides, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const leads = new Map<string, number>();
  const url = await startedUrl(child, leads);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid!,
    url,
    get alive() {
      return isAlive();
    },
    ledSince: (role) => leads.get(role) ?? null,
    kill: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

/** Keeps reading after the start: a full pipe would stop the process. */
function startedUrl(child: ChildProcess, leads: Map<string, number>): Promise<string | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the process ended with ${code} before it had started`)));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const { msg, url, leader, time } = parsed(text);
      if (msg === 'started') resolve(url ?? null);
      if (msg === 'leadership acquired') leads.set(leader!, Date.parse(time!));
    });
  });
}

function parsed(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {};
  }
}
