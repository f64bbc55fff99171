import { LuaScript } from '../../platform/redis/lua-script.js';

/** Entries of dead workers that one call clears away at most. */
const CLEAR_BATCH_MAX = 100;

const WORKERS_PRELUDE = `
local workers, details = unpack(KEYS)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/** ARGV: worker id, heartbeat (JSON), ttl ms. Both keys live as long as the worker that promised to live longest. */
export const WORKER_HEARTBEAT = new LuaScript(`${WORKERS_PRELUDE}
local id, heartbeat, ttl_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
for _, dead in ipairs(redis.call('ZRANGE', workers, '-inf', now, 'BYSCORE', 'LIMIT', 0, ${CLEAR_BATCH_MAX})) do
  redis.call('ZREM', workers, dead)
  redis.call('HDEL', details, dead)
end
redis.call('ZADD', workers, now + ttl_ms, id)
redis.call('HSET', details, id, heartbeat)
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ttl_ms, 'NX')
  redis.call('PEXPIRE', key, ttl_ms, 'GT')
end
return 1
`);

/** ARGV: worker id. */
export const WORKER_GONE = new LuaScript(`${WORKERS_PRELUDE}
redis.call('ZREM', workers, ARGV[1])
redis.call('HDEL', details, ARGV[1])
return 1
`);

/** @returns the heartbeats (JSON) of those alive now */
export const WORKERS = new LuaScript(`${WORKERS_PRELUDE}
local alive = {}
for _, id in ipairs(redis.call('ZRANGE', workers, '(' .. string.format('%d', now), '+inf', 'BYSCORE')) do
  local heartbeat = redis.call('HGET', details, id)
  if heartbeat then alive[#alive + 1] = heartbeat end
end
return alive
`);
