import { Agent } from 'node:http';

import type { ConstructorOptions } from 'docker-modem';
import Docker from 'dockerode';

/** How long each call to the engine may take. Under load (a pool refilling, an image cold on disk) calls get slow. */
export const ENGINE_TIMEOUT_MS = {
  ping: 2_000,
  info: 5_000,
  create: 20_000,
  attach: 10_000,
  start: 20_000,
  wait: 5_000,
  inspect: 5_000,
  list: 10_000,
  remove: 15_000,
} as const;

export type EngineCall = keyof typeof ENGINE_TIMEOUT_MS;

export class EngineCallTimedOut extends Error {
  constructor(readonly call: EngineCall) {
    super(`the Docker engine did not answer "${call}" within ${ENGINE_TIMEOUT_MS[call]} ms`);
    this.name = 'EngineCallTimedOut';
  }
}

/**
 * One call with its time limit; `work` passes the signal on, so that a call given up leaves no connection.
 * A create given up may have made its container all the same: its name is known, and the sweep finds it.
 */
export async function engineCall<T>(call: EngineCall, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new EngineCallTimedOut(call));
      controller.abort();
    }, ENGINE_TIMEOUT_MS[call]);
  });
  try {
    return await Promise.race([work(controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP status the engine answered with; undefined where it did not answer. */
export const engineStatus = (error: unknown): number | undefined =>
  (error as { statusCode?: number } | undefined)?.statusCode;

const AWAY_ERRNO = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** Whether the engine was not there to answer, as opposed to having answered with an error. */
export const isEngineAway = (error: unknown): boolean =>
  error instanceof EngineCallTimedOut ||
  (engineStatus(error) === undefined && AWAY_ERRNO.has((error as NodeJS.ErrnoException | undefined)?.code ?? ''));

/** A dockerode client for `unix:///path`, `tcp://host:port` or `http://host:port`; never what DOCKER_HOST says. */
export function connectEngine(endpoint: string): Docker {
  // A connection per call: one kept alive over an engine's restart fails the first call after it.
  const agent = new Agent({ keepAlive: false });
  // What is undefined here would be taken from DOCKER_HOST and DOCKER_CLIENT_TIMEOUT.
  const common = { protocol: 'http', agent, host: undefined, timeout: undefined } as const;
  const options = endpoint.startsWith('unix://')
    ? { ...common, socketPath: endpoint.slice('unix://'.length) }
    : { ...common, ...hostOf(endpoint) };
  return new Docker(options satisfies ConstructorOptions);
}

function hostOf(endpoint: string): { host: string; port: number } {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port: Number(port || 2375) };
}
