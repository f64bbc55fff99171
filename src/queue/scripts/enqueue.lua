-- ARGV: job id, user id, priority, not before (ms, '' for none), traceparent ('' for none). Returns 1 or 0.

local id, user, priority, not_before, traceparent = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
advance_time()
if live(id) then
  wake_for_work()
  return 0
end
local job = {
  user = user,
  priority = priority,
  band = priority,
  seq = redis.call('HINCRBY', counters, 'seq', 1),
  enqueued_at = now,
  ready_at = math.max(now, not_before or 0),
  not_before = not_before,
}
if traceparent ~= '' then job.traceparent = traceparent end
if job.ready_at > now then
  job.state = 'delayed'
  save(id, job)
  redis.call('ZADD', delayed, job.ready_at, id)
  -- It is the next to become due: a waiting process has to set its alarm earlier.
  if redis.call('ZRANGE', delayed, 0, 0)[1] == id then wake_one() end
else
  start_waiting(id, job)
end
wake_for_work()
return 1
