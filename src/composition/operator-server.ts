import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { HealthProbes } from '../operations/health/health-probes.js';
import { processProbes } from './health-probes.js';
import type { Infrastructure } from './infrastructure.js';
import { createMetrics } from './metrics.js';
import type { WorkerParts } from './worker-role.js';

/** Of whoever scrapes: a request here is one line and no body. */
const REQUEST_TIMEOUT_MS = 10_000;

const METHODS = ['GET', 'HEAD'];

export interface OperatorServer {
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * For whoever runs this process, on a port of its own, which is never the public one: `/metrics` as Prometheus text, and
 * `/ready`, 200 or 503, for the roles that this very process has. A process without the API has no other door.
 * @param worker null without its role
 */
export async function startOperatorServer(infra: Infrastructure, worker: WorkerParts | null): Promise<OperatorServer> {
  const { config, log } = infra;
  const metrics = createMetrics(infra, worker);
  const probes = new HealthProbes(processProbes(infra, worker?.sandbox ?? null));
  const routes: Readonly<Record<string, Answer>> = {
    '/metrics': metrics.answer,
    '/ready': async (_, response) => {
      const { ready, checks } = await probes.readiness();
      response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify({ status: ready ? 'ready' : 'not ready', checks }));
    },
  };
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // Prometheus sends the `params` of a job as a query.
    const path = request.url?.split('?', 1)[0] ?? '';
    const answer = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!answer) response.writeHead(404).end();
    else if (METHODS.includes(request.method ?? '')) void answer(request, response);
    else response.writeHead(405, { allow: METHODS.join(', ') }).end();
  });
  try {
    server.listen(config.METRICS_PORT, config.SERVER_HOST);
    await once(server, 'listening');
  } catch (error) {
    // Two processes on one host with one setting: the service is worth more than its figures.
    log.warn({ err: error, port: config.METRICS_PORT }, 'neither metrics nor readiness are served');
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
