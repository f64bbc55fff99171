import { queueScript } from './prelude.js';

/** ARGV: job ids. Changes nothing. @returns their states, in order */
export const INSPECT = queueScript(`
local states = {}
for at = 3, #ARGV do
  local id = ARGV[at]
  local job = load(id)
  local state = job and job.state or 'missing'
  if state == 'leased' and lease_ran_out(id) then state = 'missing' end
  if state == 'delayed' and job.ready_at <= now then state = 'waiting' end
  states[#states + 1] = state
end
return states
`);
