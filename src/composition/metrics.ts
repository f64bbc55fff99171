import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';

import type { ObservableResult } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, type MeterProviderOptions } from '@opentelemetry/sdk-metrics';

import type { Config } from '../config/load-config.js';
import { isOutage } from '../platform/postgres/outage.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { LivePublisher } from '../worker/live-publisher.js';
import { type Infrastructure, offersOf } from './infrastructure.js';
import { observeBatches, observeRequests, observeRuns, observeSealing, observeWebhooks } from './metrics-of-work.js';
import { VERSION } from './version.js';
import type { WorkerParts } from './worker-role.js';

const MS_PER_SECOND = 1_000;

export interface Metrics {
  /** Responds to a scrape. */
  readonly respond: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/**
 * Metrics as Prometheus text. Values are read at each scrape; values that cannot be read are omitted from the response.
 * @param worker null without the worker role
 */
export function createMetrics(infra: Infrastructure, worker: WorkerParts | null): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter], resource: resourceOf(infra.config) });
  observe(provider, infra);
  if (infra.config.VOIDRUNNER_ROLES.includes('api')) {
    observeConcurrentRequests(provider, infra);
    observeWaitingRequests(provider, infra);
    observeConnections(provider, infra);
    observeRequests(provider.getMeter('voidrunner'), infra.observations);
  }
  if (infra.config.VOIDRUNNER_ROLES.includes('orchestrator')) {
    observeSweep(provider, infra);
    observeBatches(provider.getMeter('voidrunner'), infra.observations);
  }
  if (infra.config.VOIDRUNNER_ROLES.includes('webhooks')) {
    observeWebhooks(provider.getMeter('voidrunner'), infra.observations);
  }
  if (infra.config.VOIDRUNNER_ROLES.includes('sealer')) {
    observeSealing(provider.getMeter('voidrunner'), infra.observations);
  }
  if (worker) observeRuns(provider.getMeter('voidrunner'), infra.observations);
  if (worker) observeCells(provider, worker.sandbox);
  if (worker) observeLiveOutput(provider, worker.live);
  return {
    respond: (request, response) => exporter.getMetricsRequestHandler(request, response),
    close: () => provider.shutdown(),
  };
}

/**
 * Names the service by OpenTelemetry's conventions, as its traces do. Built by hand: the package that makes resources
 * is not a direct dependency, and the default resource names every service `unknown_service`.
 */
function resourceOf({ OTEL_SERVICE_NAME: name }: Config): NonNullable<MeterProviderOptions['resource']> {
  const attributes = {
    'service.name': name,
    'service.version': VERSION,
    'service.instance.id': `${hostname()}:${process.pid}`,
  };
  const resource = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes) as [string, string][],
  };
  return resource;
}

function observe(provider: MeterProvider, infra: Infrastructure): void {
  const { log, queue, pool, store } = infra;
  const meter = provider.getMeter('voidrunner');
  const gauge = (name: string, description: string, read: (result: ObservableResult) => Promise<void>): void =>
    meter
      .createObservableGauge(name, { description })
      // If a dependency is down, the other metrics are still reported.
      .addCallback((result) =>
        read(result).catch((error: unknown) => {
          if (!isOutage(error)) log.error({ err: error, metric: name }, 'metric not read');
        }),
      );

  gauge('voidrunner_queue_jobs', 'jobs in the queue, by state', async (result) => {
    const { waiting, delayed, leased } = await queue.stats();
    for (const [state, count] of Object.entries({ waiting, delayed, leased })) result.observe(count, { state });
  });
  gauge('voidrunner_queue_oldest_waiting_seconds', 'age of the oldest waiting job', async (result) =>
    result.observe((await queue.stats()).oldestWaitingMs / MS_PER_SECOND),
  );
  gauge('voidrunner_workers', 'worker processes alive', async (result) =>
    result.observe((await queue.workers()).length),
  );
  gauge('voidrunner_runtime_workers', 'worker processes that can run the runtime', async (result) => {
    const offers = await offersOf(queue);
    for (const name of infra.runtimes.names)
      result.observe(offers.filter(({ runtime }) => runtime === name).length, { runtime: name });
  });
  gauge('voidrunner_runs', 'runs in progress', async (result) =>
    result.observe((await queue.workers()).reduce((sum, { running }) => sum + running.length, 0)),
  );
  gauge('voidrunner_log_position', 'newest position of the log', async (result) =>
    result.observe(Number((await store.head()).position)),
  );
  gauge('voidrunner_seal_lag', 'events that no signed checkpoint covers yet', async (result) => {
    const { position: head } = await store.head();
    const { rows } = await pool.query<{ size: bigint }>('select coalesce(max(size), 0) as size from es.checkpoints');
    result.observe(Math.max(0, Number(head - (rows[0]?.size ?? 0n))));
  });
  gauge('voidrunner_subscription_lag', 'events a subscription has not applied yet', async (result) => {
    const { position: head } = await store.head();
    const { rows } = await pool.query<{ subscription: string; position: bigint }>(
      'select subscription, position from read.checkpoints',
    );
    for (const { subscription, position } of rows)
      result.observe(Math.max(0, Number(head - position)), { subscription });
  });
  gauge('voidrunner_parked_streams', 'streams that a subscription parked', async (result) => {
    const { rows } = await pool.query<{ count: bigint }>('select count(*) from read.parked');
    result.observe(Number(rows[0]?.count ?? 0n));
  });
  gauge('voidrunner_batches_waiting', 'batches with executions to start or to cancel, by status', async (result) => {
    const { rows } = await pool.query<{ status: string; count: bigint }>(
      'select status, count(*) from read.active_batches group by status',
    );
    const counts = new Map(rows.map(({ status, count }) => [status, Number(count)]));
    for (const status of ['starting', 'cancelling']) result.observe(counts.get(status) ?? 0, { status });
  });
  gauge('voidrunner_webhook_deliveries_pending', 'deliveries to webhooks that wait for an attempt', async (result) => {
    const { rows } = await pool.query<{ count: bigint }>(
      "select count(*) from read.webhook_deliveries where status = 'pending'",
    );
    result.observe(Number(rows[0]?.count ?? 0n));
  });
  gauge('voidrunner_webhook_oldest_due_seconds', 'time since an attempt at a webhook has been due', async (result) => {
    const { rows } = await pool.query<{ seconds: number }>(
      `select coalesce(greatest(extract(epoch from now() - min(due_at)), 0), 0)::float as seconds
       from read.webhook_deliveries where status = 'pending'`,
    );
    result.observe(rows[0]?.seconds ?? 0);
  });
}

function observeCells(provider: MeterProvider, sandbox: Sandbox): void {
  const meter = provider.getMeter('voidrunner');
  const cells = meter.createObservableGauge('voidrunner_cells', { description: 'containers for runs, by state' });
  cells.addCallback((result) => {
    const { ready, resting, busy, refilling } = sandbox.figures;
    for (const [state, count] of Object.entries({ ready, resting, busy, refilling })) result.observe(count, { state });
  });
  const coldStarts = meter.createObservableCounter('voidrunner_cold_starts', {
    description: 'runs that had to wait for a container',
  });
  coldStarts.addCallback((result) => result.observe(sandbox.figures.coldStarts));
  const programs = meter.createObservableCounter('voidrunner_compiled_programs', {
    description: 'runs of compiled languages that found their program in the cache, or compiled it',
  });
  programs.addCallback((result) => {
    const { programsFound, programsMissed } = sandbox.figures;
    result.observe(programsFound, { cache: 'hit' });
    result.observe(programsMissed, { cache: 'miss' });
  });
}

function observeConcurrentRequests(provider: MeterProvider, { concurrent }: Infrastructure): void {
  provider
    .getMeter('voidrunner')
    .createObservableGauge('voidrunner_concurrent_requests', {
      description: 'requests that stay open on purpose, by what they do',
    })
    .addCallback((result) => {
      for (const [kind, count] of Object.entries(concurrent.counts)) result.observe(count, { kind });
    });
}

function observeWaitingRequests(
  provider: MeterProvider,
  { requestSlots, largeBodies, largeResponses }: Infrastructure,
): void {
  provider
    .getMeter('voidrunner')
    .createObservableGauge('voidrunner_waiting_requests', {
      description: 'requests that wait for others: for a slot of their user, a large body, or a large response',
    })
    .addCallback((result) => {
      result.observe(requestSlots.waiting, { kind: 'request' });
      result.observe(largeBodies.waiting, { kind: 'large_body' });
      result.observe(largeResponses.waiting, { kind: 'large_response' });
    });
}

function observeConnections(provider: MeterProvider, { connections }: Infrastructure): void {
  const meter = provider.getMeter('voidrunner');
  meter
    .createObservableGauge('voidrunner_http_connections', { description: 'open connections' })
    .addCallback((result) => result.observe(connections.figures.open));
  meter
    .createObservableCounter('voidrunner_http_connections_refused', {
      description: 'connections that were closed because too many were open, in total or from their address',
    })
    .addCallback((result) => result.observe(connections.figures.refused));
}

function observeSweep(provider: MeterProvider, { sweep }: Infrastructure): void {
  const meter = provider.getMeter('voidrunner');
  const figures = [
    ['voidrunner_payloads_destroyed', 'payloads destroyed', () => sweep.figures.payloads],
    ['voidrunner_payloads_destroyed_bytes', 'bytes of payloads destroyed', () => sweep.figures.bytes],
  ] as const;
  for (const [name, description, read] of figures) {
    meter.createObservableCounter(name, { description }).addCallback((result) => result.observe(read()));
  }
}

function observeLiveOutput(provider: MeterProvider, live: LivePublisher): void {
  const meter = provider.getMeter('voidrunner');
  meter
    .createObservableCounter('voidrunner_live_output_chunks', {
      description: 'chunks of output sent to followers: published, or late because NATS did not accept them at once',
    })
    .addCallback((result) => {
      result.observe(live.figures.published, { outcome: 'published' });
      result.observe(live.figures.late, { outcome: 'late' });
    });
  meter
    .createObservableCounter('voidrunner_live_output_left_bytes', {
      description: 'bytes that followers got only at the end of the attempt, from the stored output',
    })
    .addCallback((result) => result.observe(live.figures.unpublishedBytes));
}
