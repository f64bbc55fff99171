import { DomainError } from './errors.js';

/** The user that a command is sent for. The system itself owns nothing and may do everything. */
export type Requester = { readonly userId: string; readonly isAdmin: boolean } | 'system';

/** Whether the requester is the owner, or an admin. */
export const isAllowed = (requester: Requester, ownerId: string): boolean =>
  requester === 'system' || requester.isAdmin || requester.userId === ownerId;

/** @throws DomainError `access_denied` for a user who is neither the owner nor an admin */
export function requireOwner(requester: Requester, ownerId: string): void {
  if (!isAllowed(requester, ownerId)) throw accessDenied();
}

/** @throws DomainError `access_denied` for everybody but the owner */
export function requireSelf(requester: Requester, ownerId: string): void {
  if (requester === 'system' || requester.userId !== ownerId) throw accessDenied();
}

const accessDenied = (): DomainError => new DomainError('access_denied', 'Access denied', 'forbidden');
