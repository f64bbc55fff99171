import { queueScript } from './prelude.js';

/** Leases that one call looks at. */
const LEASES_MAX = 10_000;

/** ARGV: worker id. @returns how many it held */
export const DROP_LEASES = queueScript(`
local worker, dropped = ARGV[3], 0
for _, id in ipairs(redis.call('ZRANGE', leases, 0, ${LEASES_MAX - 1})) do
  local job = load(id)
  if job and job.worker == worker then
    forget(id, job)
    dropped = dropped + 1
  end
end
wake_for_work()
return dropped
`);
