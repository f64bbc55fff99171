-- ARGV: job id. Returns the state that it was in.

local id = ARGV[3]
local job = live(id)
if job and job.state ~= 'leased' then delete(id, job) end
wake_for_work()
if job and job.state == 'delayed' and job.ready_at <= now then return 'waiting' end
return job and job.state or 'missing'
