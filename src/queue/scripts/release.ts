import { queueScript } from './prelude.js';

/**
 * ARGV: job id, lease token.
 * The job keeps its place: its sequence puts it first in its user's line. The user joins the turns at the end, though:
 * a worker that hands back all it gets would else take the same job again for ever, and starve everybody else.
 * @returns 1 or 0
 */
export const RELEASE = queueScript(`
local id, token = ARGV[3], ARGV[4]
local job = held(id, token)
if job then
  end_lease(id, job)
  job.token, job.worker = nil, nil
  start_waiting(id, job)
end
wake_for_work()
return job and 1 or 0
`);
