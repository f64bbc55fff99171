import { DomainError } from './errors.js';

/** At which versions of a thing a command may change it: what If-Match and If-None-Match say. */
export interface VersionCondition {
  /** One of these; any where it is absent. */
  readonly anyOf?: readonly number[];
  /** None of these; `any`: at no version at all. */
  readonly noneOf?: readonly number[] | 'any';
}

/** @param name of the thing, at the head of a sentence. @throws DomainError precondition_failed */
export function requireVersion({ anyOf, noneOf }: VersionCondition, version: number, name: string): void {
  if (anyOf && !anyOf.includes(version)) {
    throw new DomainError('precondition_failed', `${name} was changed in the meantime`, 'precondition_failed');
  }
  if (noneOf === 'any' || noneOf?.includes(version)) {
    throw new DomainError('precondition_failed', `${name} is what If-None-Match rules out`, 'precondition_failed');
  }
}
