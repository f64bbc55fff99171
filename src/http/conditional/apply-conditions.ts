import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from '../problem.js';
import { entityTagsOf, matchesStrongly, matchesWeakly } from './entity-tags.js';

/** Headers that say something about the content that is not sent. */
const OF_THE_CONTENT = ['etag', 'accept-ranges', 'content-disposition'];

const STRONG_TAG = /^"(.*)"$/;

/**
 * Conditional reads (RFC 9110, section 13) for every response with an ETag. No response has a Last-Modified, so the
 * conditions about times are ignored, as section 13.1 requires.
 */
export function applyConditions(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    let isModified: boolean;
    try {
      isModified = !isConditional(request, reply) || isModifiedSince(request, reply);
    } catch (error) {
      for (const name of OF_THE_CONTENT) void reply.removeHeader(name);
      return done(error as Error);
    }
    if (isModified) return done(null, payload);
    void reply.code(304).removeHeader('content-type');
    // Fastify's own hook removes the content of a HEAD response, and needs to get it.
    done(null, request.method === 'HEAD' ? payload : null);
  });
}

const isConditional = ({ method, headers }: FastifyRequest, { statusCode }: FastifyReply): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  statusCode === 200 &&
  (headers['if-match'] !== undefined || headers['if-none-match'] !== undefined);

/** In the order of section 13.2.2. @throws HttpProblem 400 or 412 */
function isModifiedSince({ headers }: FastifyRequest, reply: FastifyReply): boolean {
  const current = STRONG_TAG.exec(String(reply.getHeader('etag')))?.[1];
  if (current === undefined) return true;
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && !matchesStrongly(entityTagsOf(match, 'If-Match'), current)) {
    throw new HttpProblem(412, 'precondition_failed', 'The current ETag does not match If-Match');
  }
  return noneMatch === undefined || !matchesWeakly(entityTagsOf(noneMatch, 'If-None-Match'), current);
}
