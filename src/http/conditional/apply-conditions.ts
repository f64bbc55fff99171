import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from '../problem.js';
import { entityTagsOf, matchesStrongly, matchesWeakly } from './entity-tags.js';

const STRONG_TAG = /^"(.*)"$/;

/**
 * Conditional reads (RFC 9110, section 13), of whatever is answered with an ETag. We send no Last-Modified, so the
 * conditions that are about times are left aside, as section 13.1 asks for.
 */
export function applyConditions(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    let isModified: boolean;
    try {
      isModified = !isConditional(request, reply) || isModifiedSince(request, reply);
    } catch (error) {
      void reply.removeHeader('etag');
      return done(error as Error);
    }
    if (isModified) return done(null, payload);
    void reply.code(304).removeHeader('content-type');
    // Fastify's own hook leaves the content of a HEAD out, and wants to see it.
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
    throw new HttpProblem(412, 'precondition_failed', 'It is not what If-Match names');
  }
  return noneMatch === undefined || !matchesWeakly(entityTagsOf(noneMatch, 'If-None-Match'), current);
}
