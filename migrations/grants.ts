/**
 * SQL for a migration: grants to the role the service runs as. A deployment chooses its name, so the statement reads
 * it from the session setting `voidrunner.app_role`, which the migrator sets.
 * @param on what follows ON: `es.events`, `schema es`, `function es.append(…)`
 */
export const grantToApp = (privileges: string, on: string): string =>
  `do $grant$ begin execute format('grant ${privileges} on ${on} to %I', current_setting('voidrunner.app_role')); end $grant$`;
