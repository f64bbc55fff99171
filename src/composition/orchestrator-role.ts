import { setTimeout as delay } from 'node:timers/promises';

import type { CommandBus } from '@nestjs/cqrs';

import { Unavailable } from '../kernel/errors.js';
import { ActiveExecutionsTable } from '../orchestration/saga/active-executions-table.js';
import { EffectRunner } from '../orchestration/saga/effect-runner.js';
import { Orchestrator } from '../orchestration/saga/orchestrator.js';
import { Reconciler } from '../orchestration/saga/reconciler.js';
import { isOutage } from '../platform/postgres/outage.js';
import type { Log } from '../platform/telemetry/log.js';
import type { Subscription } from '../platform/subscription/subscription.js';
import type { Infrastructure } from './infrastructure.js';
import { ORCHESTRATOR } from './postgres-options.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';

/** From the log to the queue; and the reconciler, which works wherever this role leads. */
export function createOrchestratorRole(infra: Infrastructure, commands: CommandBus): RoleProcess {
  const { config, log, pool, queue } = infra;
  const orchestrator = new Orchestrator(pool, new EffectRunner(queue));
  const subscription = createSubscription(infra, ORCHESTRATOR, orchestrator);
  const { QUEUE_LEASE_DURATION: leaseMs, EXTERNAL_REPORT_TIMEOUT: unreportedMs } = config;
  const reconciler = new Reconciler(new ActiveExecutionsTable(pool), queue, commands, log, leaseMs, unreportedMs);
  return loopRole(ORCHESTRATOR, async (signal) => {
    const applying = subscription.run(signal);
    await reconcile(infra, subscription, reconciler, signal);
    // Only then the table says of every job that was withdrawn that nothing waits for it any more.
    await applying;
    await attempt(log, () => reconciler.standBy());
  });
}

async function reconcile(
  { config, log }: Infrastructure,
  subscription: Subscription,
  reconciler: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await attempt(log, () => (subscription.leads ? reconciler.look() : reconciler.standBy()));
    await delay(config.QUEUE_RECONCILE_INTERVAL, undefined, { signal }).catch(() => undefined);
  }
}

async function attempt(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Nothing is concluded from what cannot be seen.
    if (!(error instanceof Unavailable || isOutage(error))) log.error({ err: error }, 'reconciler failed');
  }
}
