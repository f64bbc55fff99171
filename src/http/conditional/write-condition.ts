import type { FastifyRequest } from 'fastify';

import type { VersionCondition } from '../../kernel/version-condition.js';
import { type EntityTag, entityTagsOf } from './entity-tags.js';

/** The version at the start of a tag. The rest of the tag does not matter for a change. */
const VERSION = /^(\d{1,9})(?:-[a-z]+)?$/;

/**
 * The version that a changing request expects (RFC 9110, section 13.2.2). The condition is checked together with the
 * change: after an earlier check, another request could change the version first.
 * @throws HttpProblem 400
 */
export function writeConditionOf({ headers }: Pick<FastifyRequest, 'headers'>): VersionCondition {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const wanted = match === undefined ? '*' : entityTagsOf(match, 'If-Match');
  const unwanted = noneMatch === undefined ? [] : entityTagsOf(noneMatch, 'If-None-Match');
  return {
    // A missing resource is a 404 anyway, so `*` adds no condition.
    ...(wanted !== '*' && { anyOf: versionsOf(wanted.filter(({ weak }) => !weak)) }),
    noneOf: unwanted === '*' ? 'any' : versionsOf(unwanted),
  };
}

const versionsOf = (tags: readonly EntityTag[]): number[] =>
  tags.flatMap(({ value }) => VERSION.exec(value)?.[1] ?? []).map(Number);
