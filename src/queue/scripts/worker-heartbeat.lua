-- ARGV: worker id, heartbeat (JSON), ttl ms. Both keys live as long as the longest promise of a worker.

-- Entries of dead workers that one call deletes at most.
local DELETE_MAX = 100

local id, heartbeat, ttl_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
for _, dead in ipairs(redis.call('ZRANGE', workers, '-inf', now, 'BYSCORE', 'LIMIT', 0, DELETE_MAX)) do
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
