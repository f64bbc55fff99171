-- ARGV: job id, lease token, lease ms, worker id, user id, priority, enqueued at, not before, traceparent.
-- A job that was enqueued again meanwhile, and waits, leaves its queue: its worker is back. Returns 1 or 0.

local id, token, lease_ms, worker, user = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local job = live(id)
if job and job.state == 'leased' and job.token ~= token then return 0 end
if job and job.state == 'waiting' then stop_waiting(id, job) end
if job and job.state == 'delayed' then redis.call('ZREM', delayed, id) end
if not job then
  job = {
    user = user,
    priority = tonumber(ARGV[8]),
    band = tonumber(ARGV[8]),
    -- Before everything that the user has enqueued since: once released, it is the oldest.
    seq = 0,
    enqueued_at = tonumber(ARGV[9]),
    ready_at = math.min(now, math.max(tonumber(ARGV[9]), tonumber(ARGV[10]) or 0)),
    not_before = tonumber(ARGV[10]),
  }
  if ARGV[11] ~= '' then job.traceparent = ARGV[11] end
end
lease(id, job, token, worker, lease_ms)
wake_for_work()
return 1
