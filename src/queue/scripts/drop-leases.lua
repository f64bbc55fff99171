-- ARGV: worker id. Returns how many leases it held.

-- Leases that one call checks.
local LEASES_MAX = 10000

local worker, dropped = ARGV[3], 0
for _, id in ipairs(redis.call('ZRANGE', leases, 0, LEASES_MAX - 1)) do
  local job = load(id)
  if job and job.worker == worker then
    delete(id, job)
    dropped = dropped + 1
  end
end
wake_for_work()
return dropped
