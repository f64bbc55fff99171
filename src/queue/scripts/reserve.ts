import { queueScript } from './prelude.js';

/**
 * ARGV: worker id, lease token, lease ms.
 * @returns {1, job id, record}, or {0, ms until something may change by itself, −1 for never}
 */
export const RESERVE = queueScript(`
local worker, token, lease_ms = ARGV[3], ARGV[4], tonumber(ARGV[5])

local function milliseconds_until_change()
  local due_at
  local function consider(key)
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    if head and (not due_at or tonumber(head) < due_at) then due_at = tonumber(head) end
  end
  consider(delayed)
  -- A lease that runs out matters where it keeps its user's other jobs waiting.
  if redis.call('EXISTS', parked) == 1 then consider(leases) end
  return due_at and math.max(0, due_at - now) or -1
end

-- The next to be served: the best band, and in it the user whose last turn is the longest ago.
local function next_place()
  for _ = 1, SETTLE_MAX do
    local turn = redis.call('ZRANGE', turns, 0, 0)[1]
    if not turn then return end
    local band, user = tonumber(string.sub(turn, 1, 2)), string.sub(turn, 4)
    -- At the limit here only where the limit was lowered since.
    if not park_at_limit(user) then
      local place = first_place(band, user)
      if place then return place, band, user end
      redis.call('ZREM', turns, turn)
    end
  end
end

settle()
local place, band, user = next_place()
if not place then
  local more_at_once = redis.call('EXISTS', turns) == 1
  return {0, more_at_once and 0 or milliseconds_until_change()}
end

local id = string.sub(place, #line_of(band, user) + 17)
local job = load(id)
stop_waiting(id, job)
if redis.call('ZSCORE', turns, turn_of(band, user)) then
  redis.call('ZREM', turns, turn_of(band, user))
  join_turns(band, user)
end
hold(id, job, token, worker, lease_ms)

-- Who waits beside us looks for what is left, and takes over the alarm for what becomes due.
if milliseconds_until_change() >= 0 then wake_one() else wake_for_work() end
return {1, id, cjson.encode(job)}
`);
