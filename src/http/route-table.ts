import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';
import { decodedPathOf } from './request-path.js';

interface Entry {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** The methods of each path, so that any other method is a 405 with `Allow`. Fastify's router does not expose them. */
export class RouteTable {
  private readonly entries = new Map<string, Entry>();

  add(path: string, methods: string | readonly string[]): void {
    // Matches every path, for preflight requests.
    if (path === '*' || path === '/*') return;
    const entry = this.entries.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
    for (const method of [methods].flat()) entry.methods.add(method);
    this.entries.set(path, entry);
  }

  /** @returns an empty list for a path without a route */
  methodsOf(path: string): readonly string[] {
    const found = new Set<string>();
    for (const { pattern, methods } of this.entries.values()) {
      if (pattern.test(path)) for (const method of methods) found.add(method);
    }
    return [...found].toSorted();
  }
}

function patternOf(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment === '*') return '.+';
    return segment.startsWith(':') ? '[^/]+' : escaped(segment);
  });
  return new RegExp(`^${segments.join('/').replace(/\/$/, '')}/?$`);
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** Runs before the body is read: the body of a request to an unknown route is not parsed. */
export function respondToUnknownRoutes(fastify: FastifyInstance): void {
  const table = new RouteTable();
  fastify.addHook('onRoute', (route) => table.add(route.url, route.method));
  fastify.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (!request.is404) return;
    const methods = table.methodsOf(decodedPathOf(request.url));
    if (methods.length === 0) throw new HttpProblem(404, 'route_not_found', 'Route not found');
    const allow = methods.join(', ');
    if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
    throw new HttpProblem(405, 'method_not_allowed', 'Method not allowed', { headers: { allow } });
  });
}
