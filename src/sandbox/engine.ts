import { Agent } from 'node:http';

import type { ConstructorOptions } from 'docker-modem';
import Docker from 'dockerode';

import { withTimeout } from '../platform/async/timeout.js';

/** Timeout of each call to the engine. Calls get slow under load (a pool refill, an image not in the page cache). */
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
    super(`the Docker engine did not respond to "${call}" within ${ENGINE_TIMEOUT_MS[call]} ms`);
    this.name = 'EngineCallTimedOut';
  }
}

/**
 * Makes one call with its timeout. `work` passes the signal on, so that a timed-out call leaves no connection open.
 * A timed-out create may still have made its container: its name is known, and the sweep finds it.
 */
export async function engineCall<T>(call: EngineCall, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  return await withTimeout(work(controller.signal), ENGINE_TIMEOUT_MS[call], () => {
    controller.abort();
    return new EngineCallTimedOut(call);
  });
}

/** The HTTP status of the engine's response; undefined if there was none. */
export const engineStatus = (error: unknown): number | undefined =>
  (error as { statusCode?: number } | undefined)?.statusCode;

const UNAVAILABLE_ERRNO = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** Whether the engine was unavailable, as opposed to responding with an error. */
export const isEngineUnavailable = (error: unknown): boolean =>
  error instanceof EngineCallTimedOut ||
  (engineStatus(error) === undefined &&
    UNAVAILABLE_ERRNO.has((error as NodeJS.ErrnoException | undefined)?.code ?? ''));

/** A dockerode client for `unix:///path`, `tcp://host:port` or `http://host:port`; ignores DOCKER_HOST. */
export function connectEngine(endpoint: string): Docker {
  // A new connection per call: the first call on a kept-alive connection fails after the engine restarts.
  const agent = new Agent({ keepAlive: false });
  // Without these keys, dockerode would read DOCKER_HOST and DOCKER_CLIENT_TIMEOUT.
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
