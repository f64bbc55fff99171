import { isUtf8 } from 'node:buffer';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { type FieldError, HttpProblem } from './problem.js';
import { textFaultOf } from './validation/storable.js';

/** API.md: 1 MiB, and 2 MiB where a body carries an execution's input. */
export const BODY_BYTES_MAX = 1024 ** 2;
export const BODY_WITH_INPUT_BYTES_MAX = 2 * 1024 ** 2;

/**
 * JSON and nothing else; any other media type is a 415. No body, or an empty one, is `undefined`: whether the route
 * needs one is for its schema to say. Nothing passes that Postgres would refuse or that is nested beyond reason.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined);
    // Decoding would turn what is not UTF-8 into U+FFFD, and store something else than was sent.
    if (!isUtf8(bytes as Buffer)) return done(malformed('Request body is not UTF-8'));
    void parse(request, bytes.toString('utf8'), (error, body) => {
      if (error) return done(malformed('Malformed JSON'));
      const fault = faultIn(body);
      return fault ? done(fault) : done(null, body);
    });
  });
}

/** The query, likewise. Paths need no check: every path parameter has a schema that names its characters. */
export async function refuseUnstorableQuery(request: FastifyRequest): Promise<void> {
  const fault = faultIn(request.query);
  if (fault) throw fault;
}

const malformed = (detail: string) => new HttpProblem(400, 'malformed_json', detail);

function faultIn(value: unknown): HttpProblem | undefined {
  const fault = textFaultOf(value);
  if (!fault) return undefined;
  const error: FieldError = {
    field: fault.path.map(String).join('.'),
    value: '',
    tag: fault.tag,
    message: fault.message,
  };
  return new HttpProblem(400, 'validation_failed', 'Validation failed', { validationErrors: [error] });
}
