-- Returns the heartbeats (JSON) of the workers alive now.

local alive = {}
for _, id in ipairs(redis.call('ZRANGE', workers, '(' .. string.format('%d', now), '+inf', 'BYSCORE')) do
  local heartbeat = redis.call('HGET', details, id)
  if heartbeat then alive[#alive + 1] = heartbeat end
end
return alive
