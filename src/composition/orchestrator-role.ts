import type { CommandBus } from '@nestjs/cqrs';

import type { Subscription } from '../event-sourcing/subscription/subscription.js';
import { ActiveBatchesTable } from '../orchestrator/active-batches-table.js';
import { ActiveExecutionsTable } from '../orchestrator/active-executions-table.js';
import { BatchStarter } from '../orchestrator/batch-starter.js';
import { DeadWorkers } from '../orchestrator/dead-workers.js';
import { EffectRunner } from '../orchestrator/effect-runner.js';
import { HeldAttemptsTable } from '../orchestrator/held-attempts-table.js';
import { Orchestrator } from '../orchestrator/orchestrator.js';
import { Reconciler } from '../orchestrator/reconciler.js';
import { delay } from '../platform/async/delay.js';
import { PostgresWorkerSessions } from '../platform/postgres/worker-session.js';
import { CurrentStatuses } from '../tasks/queries/current-statuses.js';
import type { Infrastructure } from './infrastructure.js';
import { ORCHESTRATOR } from './postgres-options.js';
import { attempt, loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';

/** Interval between checks for dead workers. */
const CHECK_INTERVAL_MS_MAX = 500;
/** Between two rounds of starts. */
const BATCH_ROUND_PAUSE_MS = 200;
/** While no batch has work left, and after an outage. */
const NO_BATCH_PAUSE_MS = 1_000;
const FAILED = 'reconciler failed';

/**
 * Moves work from the log to the queue. Also runs the reconciler and the starter of batches while this
 * process leads the subscription.
 */
export function createOrchestratorRole(infra: Infrastructure, commands: CommandBus): RoleProcess {
  const { config, log, pool, queue } = infra;
  const orchestrator = new Orchestrator(pool, new EffectRunner(queue));
  const subscription = createSubscription(infra, ORCHESTRATOR, orchestrator);
  const { QUEUE_LEASE_DURATION: leaseMs, EXTERNAL_REPORT_TIMEOUT: unreportedMs } = config;
  const reconciler = new Reconciler(new ActiveExecutionsTable(pool), queue, commands, log, leaseMs, unreportedMs);
  const sessions = new PostgresWorkerSessions(pool);
  const deadWorkers = new DeadWorkers(sessions, queue, new HeldAttemptsTable(pool), commands, log);
  const starter = createBatchStarter(infra, commands);
  return loopRole(ORCHESTRATOR, async (signal) => {
    const applying = subscription.run(signal);
    const starting = startBatches(infra, subscription, starter, signal);
    await reconcile(infra, subscription, { reconciler, deadWorkers }, signal);
    // Stand by after that: only then the table shows every finished execution, so that its job can be withdrawn.
    await applying;
    await starting;
    await attempt(log, FAILED, () => reconciler.standBy());
  });
}

async function reconcile(
  { config, log }: Infrastructure,
  subscription: Subscription,
  { reconciler, deadWorkers }: { reconciler: Reconciler; deadWorkers: DeadWorkers },
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = config.QUEUE_RECONCILE_INTERVAL;
  // A new leader reconciles at once.
  let reconciledMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    // During an outage nothing is concluded.
    await attempt(log, FAILED, async () => {
      if (!subscription.leads) {
        reconciledMs = Number.NEGATIVE_INFINITY;
        deadWorkers.forget();
        return reconciler.standBy();
      }
      const gaveUp = await deadWorkers.check();
      if (!gaveUp && performance.now() - reconciledMs < intervalMs) return;
      await reconciler.reconcile();
      reconciledMs = performance.now();
    });
    await delay(Math.min(intervalMs, CHECK_INTERVAL_MS_MAX), { signal });
  }
}

const createBatchStarter = ({ pool, store, log, observations }: Infrastructure, commands: CommandBus): BatchStarter =>
  new BatchStarter({
    batches: new ActiveBatchesTable(pool),
    statuses: new CurrentStatuses(pool, store),
    store,
    commands,
    log,
    onItem: (outcome) => observations.onBatchItem(outcome),
  });

/** Beside the reconciler: neither waits for the other. */
async function startBatches(
  { log }: Infrastructure,
  subscription: Subscription,
  starter: BatchStarter,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let isBusy = false;
    await attempt(log, 'batches not started', async () => {
      if (subscription.leads) isBusy = await starter.round(signal);
      else starter.forget();
    });
    await delay(isBusy ? BATCH_ROUND_PAUSE_MS : NO_BATCH_PAUSE_MS, { signal });
  }
}
