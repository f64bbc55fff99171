import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import autocannon from 'autocannon';

import { call } from '../../test/support/api-client.js';
import { eventually } from '../../test/support/eventually.js';

const START_TIMEOUT_MS = 60_000;

export interface Round {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
}

/** A server in its own process, and how to read and create tasks on it. */
export interface Contender {
  /** The base URL of the routes, without a slash at the end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ids of existing tasks, requested in rotation. */
  readonly ids: readonly string[];
  readonly newTask: string;
}

/** The server's log goes to a file, because the measuring process would have to read a pipe. */
export async function startServer(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { folder, name, readyUrl }: { readonly folder: string; readonly name: string; readonly readyUrl: string },
): Promise<{ readonly stop: () => Promise<void> }> {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const child: ChildProcess = spawn(process.execPath, args, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ready = async () => {
    const { status } = await call(readyUrl, 'GET');
    if (status >= 500) throw new Error(`${name} responds with ${status}`);
  };
  await eventually(() => (hasEnded() ? Promise.resolve() : ready()), { timeoutMs: START_TIMEOUT_MS });
  if (hasEnded()) throw new Error(`${name} has ended: see ${folder}/${name}.log`);
  return {
    stop: async () => {
      if (hasEnded()) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Measures requests per second on so many connections; each sends its next request after the response. */
export async function round(
  { url, headers, ids, newTask }: Contender,
  { method, connections, seconds }: { readonly method: 'GET' | 'POST'; connections: number; seconds: number },
): Promise<Round> {
  const path = new URL(`${url}/tasks`).pathname;
  const result = await autocannon({
    url: `${url}/tasks`,
    connections,
    duration: seconds,
    method,
    headers: method === 'POST' ? { ...headers, 'content-type': 'application/json' } : headers,
    ...(method === 'POST' ? { body: newTask } : { requests: ids.map((id) => ({ path: `${path}/${id}` })) }),
  });
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${method} ${url}: ${result.errors} errors, ${result.non2xx} refusals`);
  }
  return { perSecond: result['2xx'] / result.duration, p99: result.latency.p99 };
}
