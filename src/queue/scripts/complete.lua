-- ARGV: job id, lease token. Returns 1 or 0.

local id, token = ARGV[3], ARGV[4]
local job = leased_with(id, token)
if job then delete(id, job) end
wake_for_work()
return job and 1 or 0
