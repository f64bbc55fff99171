import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { markBytesOf } from '../kernel/utf8.js';
import { detachBuffer } from '../platform/memory/detach-buffer.js';
import { type FieldError, HttpProblem } from './problem.js';
import { CONTENT_MS_MAX, eachChunk, readContent } from './read-content.js';
import { BYTES_TYPES, unsupportedContent } from './request-content.js';
import { fieldNameOf } from './validation/field-errors.js';
import { isTooMuch, jsonFaultOf } from './validation/json-faults.js';
import { textFaultOf } from './validation/storable.js';

/** API.md: 1 MiB, or 24 MiB for a body with an execution's input, which may be in base64. */
export const BODY_BYTES_MAX = 1024 ** 2;
export const BODY_WITH_INPUT_BYTES_MAX = 24 * 1024 ** 2;

/**
 * Accepts JSON only, or only bytes on a route that takes them; any other media type is a 415. A missing or empty body is
 * `undefined`: the route's schema decides whether a body is required. Rejects values that Postgres would refuse, that
 * are nested too deeply, or that JSON.parse would change.
 */
export function parseBodies(fastify: FastifyInstance, contentMsMax = CONTENT_MS_MAX): void {
  const read = (request: FastifyRequest, content: IncomingMessage) => readContent(request, content, contentMsMax);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', async (request: FastifyRequest, content: IncomingMessage) => {
    const bytes = await read(request, content);
    if (bytes.length === 0) return undefined;
    return request.routeOptions.config.jsonUnread === true ? bytes : parsedBody(bytes);
  });
  // Reached only on routes that take bytes: checkContent refuses these types on all others.
  fastify.addContentTypeParser(BYTES_TYPES, async (request: FastifyRequest, content: IncomingMessage) => {
    const bytes = await read(request, content);
    return bytes.length === 0 ? undefined : bytes;
  });
  fastify.addContentTypeParser('*', (request: FastifyRequest, content: IncomingMessage) =>
    // One byte proves that there is content.
    eachChunk(content, contentMsMax, () => {
      const fault = unsupportedContent(request);
      if (fault) throw fault;
    }),
  );
}

/**
 * What the content says, before any schema is asked. The bytes are freed if they have memory of their own: a large body
 * is in memory as bytes and text, or as text and values, and never as all three.
 * @throws HttpProblem 400
 */
export function parsedBody(bytes: Buffer): unknown {
  // Decoding replaces invalid UTF-8 with U+FFFD, so the stored text would differ from the text sent.
  if (!isUtf8(bytes)) throw malformed('Request body is not UTF-8');
  const start = markBytesOf(bytes);
  const lost = jsonFaultOf(bytes.subarray(start));
  if (isTooMuch(lost)) throw invalid(lost);
  const body = jsonIn(bytes, start);
  const fault = faultIn(body);
  if (fault) throw fault;
  if (lost) throw invalid(lost);
  return body;
}

/** A function of its own, so that nothing holds the text when it returns. */
function jsonIn(bytes: Buffer, start: number): unknown {
  const text = bytes.toString('utf8', start);
  detachBuffer(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed('Malformed JSON');
  }
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
