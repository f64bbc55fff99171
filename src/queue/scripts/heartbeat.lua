-- ARGV: job id, lease token, lease ms. Returns 1 or 0.

local id, token, lease_ms = ARGV[3], ARGV[4], tonumber(ARGV[5])
if not leased_with(id, token) then
  wake_for_work()
  return 0
end
redis.call('ZADD', leases, 'XX', now + lease_ms, id)
return 1
