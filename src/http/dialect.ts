import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { Failure } from './problem.js';
import { decodedPathOf } from './request-path.js';

/** How the clients of another service authenticate and read errors. It applies to all paths below its prefix. */
export interface Dialect {
  /** Without a slash at the end: `/judge0`. */
  readonly prefix: string;
  /** Headers that may hold an API key, besides Authorization and X-API-Key; in lower case. */
  readonly keyHeaders: readonly string[];
  /** The response to a failure: its status, and its body as JSON. */
  errorOf(failure: Failure): { readonly status: number; readonly body: unknown };
}

/** Of each request that has one. */
const dialects = new WeakMap<object, Dialect>();

/** To be called before other hooks are added: their errors are sent in the dialect, too. */
export function recogniseDialects(fastify: FastifyInstance, known: readonly Dialect[]): void {
  if (known.length === 0) return;
  fastify.addHook('onRequest', async (request) => {
    const path = decodedPathOf(request.url);
    const found = known.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    if (found) dialects.set(request.raw, found);
  });
}

export const dialectOf = ({ raw }: FastifyRequest): Dialect | undefined => dialects.get(raw);
