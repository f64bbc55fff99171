-- ARGV: job id, lease token. Returns 1 or 0.
-- The job keeps its sequence, so it is the first of its user's queue. The user joins the rotation at the end: a worker
-- that releases every job would otherwise get the same one forever, and starve the other users.

local id, token = ARGV[3], ARGV[4]
local job = leased_with(id, token)
if job then
  end_lease(id, job)
  job.token, job.worker = nil, nil
  start_waiting(id, job)
end
wake_for_work()
return job and 1 or 0
