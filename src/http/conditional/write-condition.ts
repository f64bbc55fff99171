import type { FastifyRequest } from 'fastify';

import type { VersionCondition } from '../../kernel/version-condition.js';
import { type EntityTag, entityTagsOf } from './entity-tags.js';

/** The version at the head of a tag of ours; what else it tells of makes no difference to a change. */
const VERSION = /^(\d{1,9})(?:-[a-z]+)?$/;

/**
 * What a request that changes something says of the version it is about (RFC 9110, section 13.2.2). It is decided with
 * the change itself: whoever looks beforehand may be overtaken.
 * @throws HttpProblem 400
 */
export function writeConditionOf({ headers }: Pick<FastifyRequest, 'headers'>): VersionCondition {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const wanted = match === undefined ? '*' : entityTagsOf(match, 'If-Match');
  const unwanted = noneMatch === undefined ? [] : entityTagsOf(noneMatch, 'If-None-Match');
  return {
    // What is not there has no version, and is a 404: so `*` asks for nothing more.
    ...(wanted !== '*' && { anyOf: versionsOf(wanted.filter(({ weak }) => !weak)) }),
    noneOf: unwanted === '*' ? 'any' : versionsOf(unwanted),
  };
}

const versionsOf = (tags: readonly EntityTag[]): number[] =>
  tags.flatMap(({ value }) => VERSION.exec(value)?.[1] ?? []).map(Number);
