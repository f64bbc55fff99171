-- The head of every queue script: the keys (queue-keys.ts), Redis's own clock, and the steps that scripts share.
-- ARGV: executions of one user at a time, ageing interval in ms, then the script's own.

local jobs, queued, rotation, parked, waiting, ageing, delayed, leases, slots, counters, wake = unpack(KEYS)
local user_max, ageing_interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local BAND_MAX, BAND_WEIGHT = 10, 1e14

-- Expired leases, and delayed jobs now due, that one call moves at most, each.
local MOVE_MAX = 100

-- Jobs that one call ages at most. A job ages ten times at most, so its own enqueue pays for it: ageing keeps pace.
-- Tried: 100. With 100,000 jobs waiting every call aged 100 of them, 3 ms and more, and the rest of the queue came to
-- 100 jobs a second.
local AGE_MAX = 10

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function load(id)
  local text = redis.call('HGET', jobs, id)
  return text and cjson.decode(text)
end

local function save(id, job) redis.call('HSET', jobs, id, cjson.encode(job)) end

-- Waiting jobs, by band and user. Users of a band are served in rotation.

local function rotation_member(band, user) return string.format('%02d|%s', band, user) end

local function queue_prefix(band, user) return rotation_member(band, user) .. '|' end

local function queue_member(id, job)
  return queue_prefix(job.band, job.user) .. string.format('%015d|', job.seq) .. id
end

local function first_member(band, user)
  local from = queue_prefix(band, user)
  return redis.call('ZRANGE', queued, '[' .. from, '(' .. from .. '\255', 'BYLEX', 'LIMIT', 0, 1)[1]
end

local function join_rotation(band, user)
  if redis.call('SISMEMBER', parked, user) == 1 then return end
  local member = rotation_member(band, user)
  if redis.call('ZSCORE', rotation, member) then return end
  local number = redis.call('HINCRBY', counters, 'turn', 1)
  redis.call('ZADD', rotation, (BAND_MAX - band) * BAND_WEIGHT + number, member)
end

local function add_to_queue(id, job)
  redis.call('ZADD', queued, 0, queue_member(id, job))
  if job.band < BAND_MAX then redis.call('ZADD', ageing, now + ageing_interval, id) end
  join_rotation(job.band, job.user)
end

local function remove_from_queue(id, job)
  redis.call('ZREM', queued, queue_member(id, job))
  redis.call('ZREM', ageing, id)
  if not first_member(job.band, job.user) then
    redis.call('ZREM', rotation, rotation_member(job.band, job.user))
  end
end

local function start_waiting(id, job)
  job.state = 'waiting'
  save(id, job)
  redis.call('ZADD', waiting, job.ready_at, id)
  add_to_queue(id, job)
end

local function stop_waiting(id, job)
  redis.call('ZREM', waiting, id)
  remove_from_queue(id, job)
end

-- Leases, and the limit of each user.

local function leases_of(user)
  return redis.call('ZLEXCOUNT', slots, '[' .. user .. '|', '(' .. user .. '|\255')
end

local function park_at_limit(user)
  if leases_of(user) < user_max then return false end
  redis.call('SADD', parked, user)
  for band = 0, BAND_MAX do redis.call('ZREM', rotation, rotation_member(band, user)) end
  return true
end

local function lease(id, job, token, worker, lease_ms)
  job.state, job.token, job.worker = 'leased', token, worker
  save(id, job)
  redis.call('ZADD', leases, now + lease_ms, id)
  redis.call('ZADD', slots, 0, job.user .. '|' .. id)
  park_at_limit(job.user)
end

local function end_lease(id, job)
  redis.call('ZREM', leases, id)
  redis.call('ZREM', slots, job.user .. '|' .. id)
  if leases_of(job.user) >= user_max or redis.call('SREM', parked, job.user) == 0 then return end
  for band = 0, BAND_MAX do
    if first_member(band, job.user) then join_rotation(band, job.user) end
  end
end

local function delete(id, job)
  if job.state == 'leased' then end_lease(id, job) end
  if job.state == 'waiting' then stop_waiting(id, job) end
  if job.state == 'delayed' then redis.call('ZREM', delayed, id) end
  redis.call('HDEL', jobs, id)
  if redis.call('EXISTS', jobs) == 0 then redis.call('DEL', counters, wake) end
end

local function lease_expired(id) return (tonumber(redis.call('ZSCORE', leases, id)) or 0) <= now end

-- The job, unless its lease has expired: then it does not exist, also before advance_time has deleted it.
local function live(id)
  local job = load(id)
  if not job or job.state ~= 'leased' or not lease_expired(id) then return job end
  delete(id, job)
  return nil
end

local function leased_with(id, token)
  local job = live(id)
  return job and job.state == 'leased' and job.token == token and job
end

-- What is due with time, a batch a call.

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

local function age(id, job, since)
  remove_from_queue(id, job)
  job.band = math.min(BAND_MAX, job.band + math.floor((now - since) / ageing_interval) + 1)
  save(id, job)
  add_to_queue(id, job)
end

local function advance_time()
  -- A job whose lease has expired is not queued again: its attempt may have started, and only the log knows.
  each_due(leases, MOVE_MAX, delete)
  each_due(delayed, MOVE_MAX, promote)
  each_due(ageing, AGE_MAX, age)
end

-- Wakes one waiting process. One token is enough: a process that takes it and leaves work behind puts it back.
local function wake_one()
  if redis.call('LLEN', wake) == 0 then redis.call('LPUSH', wake, 1) end
end

local function wake_for_work()
  if redis.call('EXISTS', rotation) == 1 then wake_one() end
end
