/**
 * Waits for the lock of the log and holds it to the end of the transaction: an advisory one (PostgreSQL manual, 13.3.5),
 * in the space of two-part keys that the migrator's is in too. Of migrations that are out in the world: never change it.
 */
export const LOCK_LOG = 'pg_advisory_xact_lock(30322, 2)';
