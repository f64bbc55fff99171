import { ErasurePass } from '../erasure/erasure-pass.js';
import { ErasureSweep } from '../erasure/erasure-sweep.js';
import { UnfinishedErasures } from '../erasure/unfinished-erasures.js';
import { delay } from '../platform/async/delay.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import type { Infrastructure } from './infrastructure.js';
import { PROJECTOR } from './postgres-options.js';
import { attempt, loopRole, type RoleProcess } from './role-process.js';
import { masterKeysOf } from './secrets.js';

const INTERVAL_MS = 2_000;
/** Between two passes over many executions: others use the log, too. */
const BUSY_PAUSE_MS = 200;

/** Completes erasures of accounts. Part of the orchestrator's role. */
export function createErasureRole(infra: Infrastructure): RoleProcess {
  const { config, log, pool, store, decisions, liveOutput } = infra;
  const keys = new DataKeys(pool, masterKeysOf(config));
  const sweep = new ErasureSweep({
    erasures: new UnfinishedErasures(pool, PROJECTOR),
    pass: new ErasurePass({ pool, store, decisions, keys, liveOutput }),
    log,
  });
  return loopRole('erasure', async (signal) => {
    while (!signal.aborted) {
      let isBusy = false;
      await attempt(log, 'sweep of erasures failed', async () => {
        isBusy = await sweep.round(signal);
      });
      await delay(isBusy ? BUSY_PAUSE_MS : INTERVAL_MS, { signal });
    }
  });
}
