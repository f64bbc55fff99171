-- For a process that took the wake token and has no waiting caller left: another process gets it.

if redis.call('EXISTS', rotation, delayed, parked) > 0 then wake_one() end
return 1
