import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { HealthProbes } from '../operations/health/health-probes.js';
import { processProbes } from './health-probes.js';
import type { Infrastructure } from './infrastructure.js';
import { createMetrics } from './metrics.js';
import type { WorkerParts } from './worker-role.js';

/** A scraper's request is short: a request line, headers and no body. */
const REQUEST_TIMEOUT_MS = 10_000;

const METHODS = ['GET', 'HEAD'];

export interface OperatorServer {
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * Serves operators on its own port, never the public one: `/metrics` as Prometheus text, and `/ready`, 200 or 503, for
 * the roles of this process. It is the only server of a process without the API.
 * @param worker null without the worker role
 */
export async function startOperatorServer(infra: Infrastructure, worker: WorkerParts | null): Promise<OperatorServer> {
  const { config, log } = infra;
  const metrics = createMetrics(infra, worker);
  const probes = new HealthProbes(processProbes(infra, worker?.sandbox ?? null));
  const routes: Readonly<Record<string, Handler>> = {
    '/metrics': metrics.respond,
    '/ready': async (_, response) => {
      const { ready, checks } = await probes.readiness();
      response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify({ status: ready ? 'ready' : 'not ready', checks }));
    },
  };
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // Prometheus sends the `params` of a job as a query.
    const path = request.url?.split('?', 1)[0] ?? '';
    const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!handler) response.writeHead(404).end();
    else if (METHODS.includes(request.method ?? '')) void handler(request, response);
    else response.writeHead(405, { allow: METHODS.join(', ') }).end();
  });
  try {
    server.listen(config.METRICS_PORT, config.SERVER_HOST);
    await once(server, 'listening');
  } catch (error) {
    // The port is taken, for example by another process with the same setting. The service runs without metrics.
    log.warn({ err: error, port: config.METRICS_PORT }, 'metrics and readiness are not served');
  }
  return {
    async close() {
      await closed(server);
      await metrics.close();
    },
  };
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  const done = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await done;
}
