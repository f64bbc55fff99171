import { isUtf8 } from 'node:buffer';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { type FieldError, HttpProblem } from './problem.js';
import { unsupportedContent } from './request-content.js';
import { fieldNameOf } from './validation/field-errors.js';
import { jsonFaultOf } from './validation/json-faults.js';
import { textFaultOf } from './validation/storable.js';

/** API.md: 1 MiB, and 2 MiB where a body carries an execution's input. */
export const BODY_BYTES_MAX = 1024 ** 2;
export const BODY_WITH_INPUT_BYTES_MAX = 2 * 1024 ** 2;

/**
 * JSON and nothing else; any other media type is a 415. No body, or an empty one, is `undefined`: whether the route
 * needs one is for its schema to say. Nothing passes that Postgres would refuse, that is nested beyond reason, or that
 * JSON.parse would change.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) =>
    bytes.length === 0 ? undefined : parsed(bytes),
  );
  fastify.addContentTypeParser('*', (request, content, done) => {
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    content.once('end', () => resolve(null));
    content.once('error', resolve);
    // One byte is enough to know.
    content.once('data', () => resolve(unsupportedContent(request.headers) ?? null));
    void promise.then((error) => done(error));
  });
}

const BYTE_ORDER_MARK = '\ufeff';

/** @throws HttpProblem 400 */
function parsed(bytes: Buffer): unknown {
  // Decoding would turn what is not UTF-8 into U+FFFD, and store something else than was sent.
  if (!isUtf8(bytes)) throw malformed('Request body is not UTF-8');
  const decoded = bytes.toString('utf8');
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(BYTE_ORDER_MARK.length) : decoded;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw malformed('Malformed JSON');
  }
  const fault = faultIn(body);
  if (fault) throw fault;
  const lost = jsonFaultOf(text);
  if (lost) throw invalid(lost);
  return body;
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
    field: fieldNameOf(fault.path),
    value: '',
    tag: fault.tag,
    message: fault.message,
  };
  return invalid(error);
}

const invalid = (error: FieldError): HttpProblem =>
  new HttpProblem(400, 'validation_failed', 'Validation failed', { validationErrors: [error] });
