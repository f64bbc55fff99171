-- ARGV: job ids. Changes nothing. Returns their states, in order.

local states = {}
for at = 3, #ARGV do
  local id = ARGV[at]
  local job = load(id)
  local state = job and job.state or 'missing'
  if state == 'leased' and lease_expired(id) then state = 'missing' end
  if state == 'delayed' and job.ready_at <= now then state = 'waiting' end
  states[#states + 1] = state
end
return states
