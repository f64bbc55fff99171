import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import type { Config } from '../config/load-config.js';
import type { Role } from '../config/setting-types.js';
import { closeHttpApp, createHttpApp } from '../http/create-http-app.js';
import { RedisRateLimiter } from '../http/rate-limit/redis-rate-limiter.js';
import type { Log } from '../platform/telemetry/log.js';
import { apiDocs } from './api-docs.js';
import { AppModule } from './app.module.js';
import { createDeadLettersRole } from './dead-letters-role.js';
import { END_MS_MAX, endInTime } from './end-in-time.js';
import { facadeParts } from './facades.js';
import { createErasureRole } from './erasure-role.js';
import { createInfrastructure, type Infrastructure } from './infrastructure.js';
import { type OperatorServer, startOperatorServer } from './operator-server.js';
import { createOrchestratorRole } from './orchestrator-role.js';
import { createProjectorRole } from './projector-role.js';
import { createRelayRole } from './relay-role.js';
import { createRetentionRole } from './retention-role.js';
import type { RoleProcess } from './role-process.js';
import { createSealerRole } from './sealer-role.js';
import { createWebhooksRole } from './webhooks-role.js';
import { createWorkerParts, createWorkerRole, type WorkerParts } from './worker-role.js';

/** A process of VoidRunner with its configured roles. */
export interface Service {
  readonly infra: Infrastructure;
  /** Null without the API role. */
  readonly app: NestFastifyApplication | null;
  /** Null unless a role decides: the API, a worker, the orchestrator or webhooks. Only these need Nest. */
  readonly commands: CommandBus | null;
  /** The base URL of the API, once it listens; null without the API role. */
  readonly url: string | null;
  /** Workers finish or release their attempts, the API finishes its open requests; then everything is closed. */
  stop(): Promise<void>;
}

export async function startService(config: Config, log: Log): Promise<Service> {
  const infra = createInfrastructure(config, log);
  const roles = config.VOIDRUNNER_ROLES;
  const app = roles.includes('api') ? await createApi(infra) : null;
  if (app) await app.init();
  const context = app ?? (await createContext(infra));
  const commands = context?.get(CommandBus) ?? null;
  const worker = roles.includes('worker') ? await createWorkerParts(infra) : null;
  const processes = createRoles(infra, context, worker);
  for (const role of processes) role.start();
  const operators: OperatorServer | null = config.METRICS_PORT === 0 ? null : await startOperatorServer(infra, worker);
  if (app) await app.listen(config.SERVER_PORT, config.SERVER_HOST);
  const url = app ? await app.getUrl() : null;
  log.info({ roles, url }, 'started');
  return {
    infra,
    app,
    commands,
    url,
    async stop() {
      log.info({ roles }, 'stopping');
      // Workers first: other roles still have to publish and project what they report.
      for (const role of processes) await role.stop();
      const httpMs = config.SERVER_SHUTDOWN_TIMEOUT;
      await endInTime(log, 'http', app ? closeHttpApp(app, httpMs) : context?.close(), httpMs + END_MS_MAX);
      await endInTime(log, 'operators', operators?.close());
      await endInTime(log, 'infrastructure', infra.close());
      log.info({ roles }, 'stopped');
    },
  };
}

const DECIDING_ROLES: readonly Role[] = ['worker', 'orchestrator', 'webhooks'];

async function createContext(infra: Infrastructure): Promise<INestApplicationContext | null> {
  if (!infra.config.VOIDRUNNER_ROLES.some((role) => DECIDING_ROLES.includes(role))) return null;
  return NestFactory.createApplicationContext(AppModule.forRoles(infra), { logger: false });
}

function createApi(infra: Infrastructure): Promise<NestFastifyApplication> {
  const { config, log, redis, observations } = infra;
  return createHttpApp(AppModule.forRoles(infra), {
    log,
    trustProxy: config.SERVER_TRUST_PROXY,
    corsAllowedOrigins: config.CORS_ALLOWED_ORIGINS,
    docs: apiDocs(config, infra.runtimes),
    dialects: facadeParts(config.FACADES).dialects,
    connections: infra.connections,
    slots: infra.requestSlots,
    largeBodies: infra.largeBodies,
    onResponseSent: (request) => observations.onRequest(request),
    rateLimiter: config.RATE_LIMIT_ENABLED
      ? new RedisRateLimiter({ redis, limits: rateLimitsOf(config), namespace: config.QUEUE_NAMESPACE, log })
      : undefined,
  });
}

const rateLimitsOf = (config: Config) => ({
  login_account: config.RATE_LIMIT_LOGIN_PER_ACCOUNT,
  login_everywhere: config.RATE_LIMIT_LOGIN_EVERYWHERE,
  login_address: config.RATE_LIMIT_LOGIN_PER_ADDRESS,
  register_address: config.RATE_LIMIT_REGISTER_PER_ADDRESS,
  refresh_address: config.RATE_LIMIT_REFRESH,
  writes: config.RATE_LIMIT_WRITES,
  reads: config.RATE_LIMIT_READS,
});

/** In the order of stopping. */
function createRoles(
  infra: Infrastructure,
  context: INestApplicationContext | null,
  worker: WorkerParts | null,
): RoleProcess[] {
  const { config } = infra;
  const commands = context?.get(CommandBus);
  const roles: RoleProcess[] = [];
  if (commands && worker) roles.push(createWorkerRole(infra, commands, worker));
  if (commands && config.VOIDRUNNER_ROLES.includes('orchestrator')) {
    roles.push(createOrchestratorRole(infra, commands), createDeadLettersRole(infra), createRetentionRole(infra));
    roles.push(createErasureRole(infra));
  }
  if (context && config.VOIDRUNNER_ROLES.includes('webhooks')) roles.push(createWebhooksRole(infra, context));
  if (config.VOIDRUNNER_ROLES.includes('relay')) roles.push(createRelayRole(infra));
  if (config.VOIDRUNNER_ROLES.includes('projector')) roles.push(createProjectorRole(infra));
  if (config.VOIDRUNNER_ROLES.includes('sealer')) roles.push(createSealerRole(infra));
  return roles;
}
