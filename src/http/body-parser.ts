import { isUtf8 } from 'node:buffer';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { type FieldError, HttpProblem } from './problem.js';
import { BYTES_TYPES, unsupportedContent } from './request-content.js';
import { fieldNameOf } from './validation/field-errors.js';
import { jsonFaultOf } from './validation/json-faults.js';
import { textFaultOf } from './validation/storable.js';

/** API.md: 1 MiB, or 2 MiB for a body with an execution's input. */
export const BODY_BYTES_MAX = 1024 ** 2;
export const BODY_WITH_INPUT_BYTES_MAX = 2 * 1024 ** 2;

/**
 * Accepts JSON only, or only bytes on a route that takes them; any other media type is a 415. A missing or empty body is
 * `undefined`: the route's schema decides whether a body is required. Rejects values that Postgres would refuse, that
 * are nested too deeply, or that JSON.parse would change.
 */
export function parseBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) =>
    bytes.length === 0 ? undefined : parsedBody(bytes),
  );
  // Reached only on routes that take bytes: checkContent refuses these types on all others.
  fastify.addContentTypeParser(BYTES_TYPES, { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) =>
    bytes.length === 0 ? undefined : bytes,
  );
  fastify.addContentTypeParser('*', (request, content, done) => {
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    content.once('end', () => resolve(null));
    content.once('error', resolve);
    // One byte proves that there is content.
    content.once('data', () => resolve(unsupportedContent(request) ?? null));
    void promise.then((error) => done(error));
  });
}

const BYTE_ORDER_MARK = '\ufeff';

/**
 * What the content says, before any schema is asked.
 * @throws HttpProblem 400
 */
export function parsedBody(bytes: Buffer): unknown {
  // Decoding replaces invalid UTF-8 with U+FFFD, so the stored text would differ from the text sent.
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

/** The same check for the query. Paths need none: the schema of every path parameter restricts its characters. */
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
