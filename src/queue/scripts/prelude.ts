import { LuaScript } from '../../platform/redis/lua-script.js';

/** Leases that ran out, and delayed jobs now due, that one call moves at most, each. */
const SETTLE_BATCH_MAX = 100;

/**
 * Jobs that one call lifts at most. A job rises ten times at most, so its own enqueue pays for it: ageing keeps pace.
 * Tried: 100. With 100,000 jobs waiting every call lifted 100 of them, 3 ms and more, and the rest of the queue
 * came to 100 jobs a second.
 */
const RISE_BATCH_MAX = 10;

/** The head of every queue script: the keys, Redis' own clock, and the moves that several operations share. */
const PRELUDE = `
local jobs, lines, turns, parked, waiting, ageing, delayed, leases, slots, counters, wake = unpack(KEYS)
local user_max, ageing_interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local BAND_MAX, BAND_WEIGHT, SETTLE_MAX, RISE_MAX = 10, 1e14, ${SETTLE_BATCH_MAX}, ${RISE_BATCH_MAX}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function load(id)
  local text = redis.call('HGET', jobs, id)
  return text and cjson.decode(text)
end

local function save(id, job) redis.call('HSET', jobs, id, cjson.encode(job)) end

-- Lines: who waits, by band and user.

local function turn_of(band, user) return string.format('%02d|%s', band, user) end

local function line_of(band, user) return turn_of(band, user) .. '|' end

local function place_of(id, job) return line_of(job.band, job.user) .. string.format('%015d|', job.seq) .. id end

local function first_place(band, user)
  local from = line_of(band, user)
  return redis.call('ZRANGE', lines, '[' .. from, '(' .. from .. '\\255', 'BYLEX', 'LIMIT', 0, 1)[1]
end

local function join_turns(band, user)
  if redis.call('SISMEMBER', parked, user) == 1 then return end
  local member = turn_of(band, user)
  if redis.call('ZSCORE', turns, member) then return end
  local turn = redis.call('HINCRBY', counters, 'turn', 1)
  redis.call('ZADD', turns, (BAND_MAX - band) * BAND_WEIGHT + turn, member)
end

local function enter_line(id, job)
  redis.call('ZADD', lines, 0, place_of(id, job))
  if job.band < BAND_MAX then redis.call('ZADD', ageing, now + ageing_interval, id) end
  join_turns(job.band, job.user)
end

local function quit_line(id, job)
  redis.call('ZREM', lines, place_of(id, job))
  redis.call('ZREM', ageing, id)
  if not first_place(job.band, job.user) then redis.call('ZREM', turns, turn_of(job.band, job.user)) end
end

local function start_waiting(id, job)
  job.state = 'waiting'
  save(id, job)
  redis.call('ZADD', waiting, job.ready_at, id)
  enter_line(id, job)
end

local function stop_waiting(id, job)
  redis.call('ZREM', waiting, id)
  quit_line(id, job)
end

-- Leases: who runs, and whether a user may run more.

local function slots_of(user)
  return redis.call('ZLEXCOUNT', slots, '[' .. user .. '|', '(' .. user .. '|\\255')
end

local function park_at_limit(user)
  if slots_of(user) < user_max then return false end
  redis.call('SADD', parked, user)
  for band = 0, BAND_MAX do redis.call('ZREM', turns, turn_of(band, user)) end
  return true
end

local function hold(id, job, token, worker, lease_ms)
  job.state, job.token, job.worker = 'leased', token, worker
  save(id, job)
  redis.call('ZADD', leases, now + lease_ms, id)
  redis.call('ZADD', slots, 0, job.user .. '|' .. id)
  park_at_limit(job.user)
end

local function end_lease(id, job)
  redis.call('ZREM', leases, id)
  redis.call('ZREM', slots, job.user .. '|' .. id)
  if slots_of(job.user) >= user_max or redis.call('SREM', parked, job.user) == 0 then return end
  for band = 0, BAND_MAX do
    if first_place(band, job.user) then join_turns(band, job.user) end
  end
end

local function forget(id, job)
  if job.state == 'leased' then end_lease(id, job) end
  if job.state == 'waiting' then stop_waiting(id, job) end
  if job.state == 'delayed' then redis.call('ZREM', delayed, id) end
  redis.call('HDEL', jobs, id)
  if redis.call('EXISTS', jobs) == 0 then redis.call('DEL', counters, wake) end
end

local function lease_ran_out(id) return (tonumber(redis.call('ZSCORE', leases, id)) or 0) <= now end

-- The job, unless its lease ran out: then it is nobody's, whether the reaper has come by or not.
local function live(id)
  local job = load(id)
  if not job or job.state ~= 'leased' or not lease_ran_out(id) then return job end
  forget(id, job)
  return nil
end

local function held(id, token)
  local job = live(id)
  return job and job.state == 'leased' and job.token == token and job
end

-- Time passing, a batch a call.

local function each_due(key, batch_max, move)
  local found = redis.call('ZRANGE', key, '-inf', now, 'BYSCORE', 'LIMIT', 0, batch_max, 'WITHSCORES')
  for at = 1, #found, 2 do
    local id = found[at]
    local job = load(id)
    if job then move(id, job, tonumber(found[at + 1])) else redis.call('ZREM', key, id) end
  end
end

local function promote(id, job)
  redis.call('ZREM', delayed, id)
  start_waiting(id, job)
end

local function rise(id, job, since)
  quit_line(id, job)
  job.band = math.min(BAND_MAX, job.band + math.floor((now - since) / ageing_interval) + 1)
  save(id, job)
  enter_line(id, job)
end

local function settle()
  -- A job whose lease ran out is not queued again: its attempt may have started, and only the log knows.
  each_due(leases, SETTLE_MAX, forget)
  each_due(delayed, SETTLE_MAX, promote)
  each_due(ageing, RISE_MAX, rise)
end

-- Wakes one of those who wait. One baton is enough: whoever takes it and leaves work behind passes it on.
local function wake_one()
  if redis.call('LLEN', wake) == 0 then redis.call('LPUSH', wake, 1) end
end

local function wake_for_work()
  if redis.call('EXISTS', turns) == 1 then wake_one() end
end
`;

export const queueScript = (body: string): LuaScript => new LuaScript(PRELUDE + body);
