import { readFileSync } from 'node:fs';

import { LuaScript } from '../platform/redis/lua-script.js';

/** Beside this file in the sources, beside the bundle in `dist` (infra/build/bundle.mjs). */
const luaOf = (name: string): string => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');

const PRELUDE = luaOf('prelude');
const WORKERS_PRELUDE = luaOf('workers-prelude');

const queueScript = (name: string): LuaScript => new LuaScript(PRELUDE + luaOf(name));
const workersScript = (name: string): LuaScript => new LuaScript(WORKERS_PRELUDE + luaOf(name));

/** One atomic operation each. What they take and return stands in their files. */
export const CANCEL = queueScript('cancel');
export const COMPLETE = queueScript('complete');
export const DROP_LEASES = queueScript('drop-leases');
export const ENQUEUE = queueScript('enqueue');
export const HEARTBEAT = queueScript('heartbeat');
export const INSPECT = queueScript('inspect');
export const PASS_WAKE_TOKEN = queueScript('pass-wake-token');
export const RELEASE = queueScript('release');
export const RESERVE = queueScript('reserve');
export const RESTORE_LEASE = queueScript('restore-lease');
export const STATS = queueScript('stats');

export const WORKER_HEARTBEAT = workersScript('worker-heartbeat');
export const WORKER_GONE = workersScript('worker-gone');
export const WORKERS = workersScript('workers');
