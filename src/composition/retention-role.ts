import { delay } from '../platform/async/delay.js';
import { sweepCompiledPrograms } from '../platform/payloads/postgres-compiled-programs.js';
import type { Infrastructure } from './infrastructure.js';
import { attempt, loopRole, type RoleProcess } from './role-process.js';

const INTERVAL_MS_MAX = 600_000;
const INTERVAL_MS_MIN = 250;
/** Sweeps four times per shortest retention period: a payload is destroyed at most a quarter of that period late. */
const SWEEPS_PER_RETENTION = 4;

/** Periodically destroys payloads past their retention. Part of the orchestrator's role. */
export function createRetentionRole({ config, log, pool, sweep }: Infrastructure): RoleProcess {
  const kept = [config.RETENTION_RUNS, config.RETENTION_DELETED_TASKS].filter((ms) => ms > 0);
  const intervals = kept.map((ms) => ms / SWEEPS_PER_RETENTION);
  const intervalMs = Math.max(INTERVAL_MS_MIN, Math.min(INTERVAL_MS_MAX, ...intervals));
  return loopRole('retention', async (signal) => {
    while (!signal.aborted) {
      await attempt(log, 'payload sweep failed', async () => {
        const { payloads, bytes } = await sweep.sweep(signal);
        if (payloads > 0) log.info({ payloads, bytes }, 'destroyed payloads past their retention');
      });
      await attempt(log, 'sweep of compiled programs failed', () => sweepCompiledPrograms(pool));
      await delay(intervalMs, { signal });
    }
  });
}
