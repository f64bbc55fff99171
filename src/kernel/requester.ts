import { DomainError } from './errors.js';

/** On whose behalf a command comes. The system itself owns nothing and may do everything. */
export type Requester = { readonly userId: string; readonly isAdmin: boolean } | 'system';

/** @throws DomainError `access_denied` for a person who is neither the owner nor an admin */
export function requireOwner(requester: Requester, ownerId: string): void {
  if (requester === 'system' || requester.isAdmin || requester.userId === ownerId) return;
  throw new DomainError('access_denied', 'Access denied', 'forbidden');
}
