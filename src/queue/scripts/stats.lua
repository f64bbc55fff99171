-- Changes nothing, and counts due jobs as moved already. Returns {waiting, delayed, leased, oldest waiting ms}.

local function count(key, from, to) return redis.call('ZCOUNT', key, from, to) end
local function oldest(key) return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]) or now end
local after = '(' .. string.format('%d', now)
return {
  redis.call('ZCARD', waiting) + count(delayed, '-inf', now),
  count(delayed, after, '+inf'),
  count(leases, after, '+inf'),
  math.max(0, now - math.min(oldest(waiting), oldest(delayed))),
}
