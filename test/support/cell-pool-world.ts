import { silentLog } from '../../src/platform/telemetry/log.js';
import { type CellKind, kindFor } from '../../src/sandbox/cell-kind.js';
import { CellPool, type CellPoolOptions } from '../../src/sandbox/cell-pool.js';
import type { Cell } from '../../src/sandbox/cell.js';
import { Removals } from '../../src/sandbox/removals.js';
import { runtimeOf } from './declared-runtimes.js';
import { FakeCell } from './fake-cell.js';

const host = { isolation: 'nested', cpus: 2 } as const;
const usual = { memory_mb: 256, cpus: 1, pids: 64 };
export const BASH = kindFor(runtimeOf('bash'), 'sha256:bash', usual, host);
export const PYTHON = kindFor(runtimeOf('python'), 'sha256:python', usual, host);
export const LARGE = kindFor(runtimeOf('bash'), 'sha256:bash', { ...usual, memory_mb: 512 }, host);
const OPTIONS: CellPoolOptions = { warmPerKind: 0, restMs: 30_000, jobsMax: 100, ageMsMax: 300_000, cellsMax: 64 };

/** A pool whose cells open at once by default. */
export function poolWorld(overrides: Partial<CellPoolOptions> = {}) {
  const cells: FakeCell[] = [];
  const held = { opening: false };
  const make = (kind: CellKind): Cell => {
    const cell = new FakeCell(`c${cells.length}`, kind);
    if (!held.opening) cell.opened.resolve();
    cells.push(cell);
    return cell;
  };
  const pool = new CellPool({ ...OPTIONS, ...overrides }, make, new Removals(), silentLog);
  const take = async (userId: string, kind = BASH) => {
    const cell = (await pool.take(userId, kind)) as FakeCell;
    cell.users.push(userId);
    return cell;
  };
  /** Runs a job from start to end. */
  const job = async (userId: string, kind = BASH) => {
    const cell = await take(userId, kind);
    cell.jobs += 1;
    pool.release(cell, true);
    return cell;
  };
  return { pool, cells, held, take, job };
}
