import { randomInt } from 'node:crypto';

/** The NOTIFY channel for appends. The payload is a committed position. */
export const APPEND_CHANNEL = 'voidrunner_events';

/**
 * The session of every listener holds this lock, shared with all others (PostgreSQL manual, 13.3.5). The second key
 * identifies its process, so that a writer can check whether another process listens.
 */
const LISTENERS_LOCK = 30323;

/**
 * A random number for this process. Two processes with the same number do not notify each other: their readers only
 * poll.
 */
const OWN_KEY = randomInt(2 ** 31);

/** Makes a session a listener. @param key of another process, for tests */
export const listenStatement = (key = OWN_KEY): string =>
  `select pg_advisory_lock_shared(${LISTENERS_LOCK}, ${key}); listen ${APPEND_CHANNEL}`;

/** One row: whether a session of another process listens. pg_locks shows the two keys as oids (manual, 54.12). */
export const OTHERS_LISTEN = `
  select exists (
    select from pg_locks
    where locktype = 'advisory' and objsubid = 2 and classid = ${LISTENERS_LOCK} and objid <> ${OWN_KEY} and granted
      and database = (select oid from pg_database where datname = current_database())
  ) as listening`;
