import { setTimeout as delay } from 'node:timers/promises';

import type { Infrastructure } from './infrastructure.js';
import { attempt, loopRole, type RoleProcess } from './role-process.js';

const INTERVAL_MS_MAX = 600_000;
const INTERVAL_MS_MIN = 250;
/** Of the shortest retention: what is no longer kept is gone within a quarter of its time again. */
const SHARE = 4;

/** Destroys, again and again, what is no longer kept. Beside the orchestrator, wherever that is. */
export function createRetentionRole({ config, log, sweep }: Infrastructure): RoleProcess {
  const kept = [config.RETENTION_RUNS, config.RETENTION_DELETED_TASKS].filter((ms) => ms > 0);
  const intervalMs = Math.max(INTERVAL_MS_MIN, Math.min(INTERVAL_MS_MAX, ...kept.map((ms) => ms / SHARE)));
  return loopRole('retention', async (signal) => {
    while (!signal.aborted) {
      await attempt(log, 'the sweep of payloads failed', async () => {
        const { payloads, bytes } = await sweep.sweep(signal);
        if (payloads > 0) log.info({ payloads, bytes }, 'destroyed payloads that are no longer kept');
      });
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  });
}
