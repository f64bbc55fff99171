import { randomInt } from 'node:crypto';

/** Whoever listens learns that something was appended; the payload is a position that is committed. */
export const APPEND_CHANNEL = 'voidrunner_events';

/**
 * Every listener's session holds this lock together with all others (shared, PostgreSQL manual, 13.3.5), the second key
 * saying whose process it is: so that whoever appends can tell whether anybody listens at all.
 */
const LISTENERS_LOCK = 30323;

/** This process, by chance: two that have the same number take each other for themselves, and poll. */
const OWN_KEY = randomInt(2 ** 31);

/** Makes a session a listener. @param key of another process, where a test plays one */
export const listenStatement = (key = OWN_KEY): string =>
  `select pg_advisory_lock_shared(${LISTENERS_LOCK}, ${key}); listen ${APPEND_CHANNEL}`;

/** One row: whether a session of another process listens. pg_locks has the two keys as oids (manual, 54.12). */
export const OTHERS_LISTEN = `
  select exists (
    select from pg_locks
    where locktype = 'advisory' and objsubid = 2 and classid = ${LISTENERS_LOCK} and objid <> ${OWN_KEY} and granted
      and database = (select oid from pg_database where datname = current_database())
  ) as listening`;
