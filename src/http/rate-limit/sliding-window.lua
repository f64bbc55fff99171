-- takeFromWindow (sliding-window.ts) in Redis: atomic, and with the clock of Redis, since the clocks of processes differ.
-- KEYS[1] counters; ARGV: limit, window in ms, uncounted requests, cost of this one. Returns {allowed, remaining, reset in ms}.
local limit, window_ms, uncounted, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local window = math.floor(now_ms / window_ms)
local elapsed_ms = now_ms - window * window_ms

local stored = redis.call('HMGET', KEYS[1], 'w', 'c', 'p')
local stored_window = tonumber(stored[1] or '-2')
local current, previous = 0, 0
if stored_window == window then
  current, previous = tonumber(stored[2]), tonumber(stored[3])
elseif stored_window == window - 1 then
  previous = tonumber(stored[2])
end
current = current + uncounted

local used = current + previous * (window_ms - elapsed_ms) / window_ms
local taken = 0
if used + cost <= limit then taken = cost end
if taken + uncounted > 0 then
  redis.call('HSET', KEYS[1], 'w', window, 'c', current + taken, 'p', previous)
  redis.call('PEXPIRE', KEYS[1], 2 * window_ms)
end
if taken > 0 then
  return {1, math.max(0, math.floor(limit - used - cost)), 2 * window_ms - elapsed_ms}
end

local wait_ms
local room = limit - cost - current
if room >= 0 and previous > 0 then
  wait_ms = math.ceil(window_ms - elapsed_ms - room * window_ms / previous)
else
  local fading = 0
  if current > 0 then fading = math.max(0, window_ms - (limit - cost) * window_ms / current) end
  wait_ms = math.ceil(window_ms - elapsed_ms + fading)
end
return {0, math.max(0, math.floor(limit - used)), math.max(1, wait_ms)}
