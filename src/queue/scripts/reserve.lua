-- ARGV: worker id, lease token, lease ms.
-- Returns {1, job id, record}, or {0, ms until something may change with time, -1 for never}.

local worker, token, lease_ms = ARGV[3], ARGV[4], tonumber(ARGV[5])

local function milliseconds_until_change()
  local due_at
  local function consider(key)
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    if head and (not due_at or tonumber(head) < due_at) then due_at = tonumber(head) end
  end
  consider(delayed)
  -- An expiring lease matters where it keeps other jobs of its user waiting.
  if redis.call('EXISTS', parked) == 1 then consider(leases) end
  return due_at and math.max(0, due_at - now) or -1
end

-- The next job: of the highest band, and in it of the user who was served the longest ago.
local function next_member()
  for _ = 1, MOVE_MAX do
    local head = redis.call('ZRANGE', rotation, 0, 0)[1]
    if not head then return end
    local band, user = tonumber(string.sub(head, 1, 2)), string.sub(head, 4)
    -- A user in the rotation is at the limit only where the limit has been lowered since.
    if not park_at_limit(user) then
      local member = first_member(band, user)
      if member then return member, band, user end
      redis.call('ZREM', rotation, head)
    end
  end
end

advance_time()
local member, band, user = next_member()
if not member then
  local more_at_once = redis.call('EXISTS', rotation) == 1
  return {0, more_at_once and 0 or milliseconds_until_change()}
end

local id = string.sub(member, #queue_prefix(band, user) + 17)
local job = load(id)
stop_waiting(id, job)
if redis.call('ZSCORE', rotation, rotation_member(band, user)) then
  redis.call('ZREM', rotation, rotation_member(band, user))
  join_rotation(band, user)
end
lease(id, job, token, worker, lease_ms)

-- Another waiting process reserves what is left, and sets the alarm for what becomes due.
if milliseconds_until_change() >= 0 then wake_one() else wake_for_work() end
return {1, id, cjson.encode(job)}
