import { DomainError } from './errors.js';

/** The versions of a resource at which a command may change it: from If-Match and If-None-Match. */
export interface VersionCondition {
  /** One of these; absent: any version. */
  readonly anyOf?: readonly number[];
  /** None of these; `any`: no version at all. */
  readonly noneOf?: readonly number[] | 'any';
}

/** @param name of the resource, capitalized: it starts the message. @throws DomainError precondition_failed */
export function requireVersion({ anyOf, noneOf }: VersionCondition, version: number, name: string): void {
  if (anyOf && !anyOf.includes(version)) {
    throw new DomainError('precondition_failed', `${name} was changed in the meantime`, 'precondition_failed');
  }
  if (noneOf === 'any' || noneOf?.includes(version)) {
    throw new DomainError('precondition_failed', `${name} matches If-None-Match`, 'precondition_failed');
  }
}
