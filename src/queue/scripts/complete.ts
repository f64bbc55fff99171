import { queueScript } from './prelude.js';

/** ARGV: job id, lease token. @returns 1 or 0 */
export const COMPLETE = queueScript(`
local id, token = ARGV[3], ARGV[4]
local job = held(id, token)
if job then forget(id, job) end
wake_for_work()
return job and 1 or 0
`);
