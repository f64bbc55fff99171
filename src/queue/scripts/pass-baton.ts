import { queueScript } from './prelude.js';

/** For a process that took the baton and has nobody left who waits: the next one looks. */
export const PASS_BATON = queueScript(`
if redis.call('EXISTS', turns, delayed, parked) > 0 then wake_one() end
return 1
`);
